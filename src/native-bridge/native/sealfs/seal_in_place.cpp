// Sealing an unsealed file where it lies. Layer: sealfs.
//
// Order of writes: a new file beside it (`.sealway-tmp-…`), complete and durable, with owner, mode,
// times and attributes copied; then one rename over the old name, then a sync of the folder. A
// crash leaves the old file, and perhaps the new one beside it, which seal-pending removes.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes.h"
#include "container/whole_file.h"
#include "sealfs/new_file.h"
#include "sealfs/ops.h"

namespace sealway::sealfs {
namespace {

struct Place {
  UniqueFd folder;
  std::string name;
};

// Where the inode lies by now. ESTALE: its name went elsewhere meanwhile.
int FindPlace(FileSystem& fs, const Inode& inode, Place* place) {
  const auto path = fs.backing.RelativePath(inode.path_fd.Get());
  if (path.empty()) return ESTALE;
  const auto slash = path.rfind('/');
  place->name = slash == std::string::npos ? path : path.substr(slash + 1);
  const auto folder = slash == std::string::npos ? std::string(".") : path.substr(0, slash);
  struct open_how how {};
  how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  place->folder = UniqueFd(static_cast<int>(
      ::syscall(SYS_openat2, fs.backing.RootFd(), folder.c_str(), &how, sizeof(how))));
  if (!place->folder) return errno;
  struct stat status {};
  if (::fstatat(place->folder.Get(), place->name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return ESTALE;
  }
  if (status.st_ino != inode.key.ino) return ESTALE;
  // Sealing would part the names of one file from each other.
  return status.st_nlink > 1 ? EMLINK : 0;
}

int CopyAttributes(int from, int to) {
  struct stat status {};
  if (::fstat(from, &status) != 0) return errno;
  if (::fchown(to, status.st_uid, status.st_gid) != 0) return errno;
  if (::fchmod(to, status.st_mode & 07777) != 0) return errno;
  std::vector<char> names(65536);
  const ssize_t length = ::flistxattr(from, names.data(), names.size());
  for (ssize_t at = 0; at < length;) {
    const std::string name(names.data() + at);
    at += static_cast<ssize_t>(name.size()) + 1;
    std::vector<char> value(65536);
    const ssize_t size = ::fgetxattr(from, name.c_str(), value.data(), value.size());
    if (size < 0) return errno;
    if (::fsetxattr(to, name.c_str(), value.data(), static_cast<std::size_t>(size), 0) != 0) {
      return errno;
    }
  }
  const std::array<struct timespec, 2> times = {status.st_atim, status.st_mtim};
  return ::futimens(to, times.data()) == 0 ? 0 : errno;
}

int WriteBeside(FileSystem& fs, const Inode& inode, const Place& place, const std::string& beside) {
  FreshHead head;
  if (const int error = MakeFreshHead(fs, &head)) return error;
  const UniqueFd in = ReopenQuietly(inode.path_fd.Get(), O_RDONLY);
  if (!in) return errno;
  const UniqueFd out(::openat(place.folder.Get(), beside.c_str(),
                              O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!out) return errno;
  auto sealed = SealFile(in.Get(), out.Get(), head.fields, head.label_key);
  if (!sealed) return sealed.GetError().ToErrno();
  if (const int error = CopyAttributes(in.Get(), out.Get())) return error;
  return ::fsync(out.Get()) == 0 ? 0 : errno;
}

}  // namespace

int SealInPlace(FileSystem& fs, Inode& inode) {
  if (fs.read_only) return EROFS;
  // One at a time in the whole folder: it is rare, and two of one file must not meet.
  static std::mutex one;
  const std::lock_guard lock(one);
  bool written = false;
  fs.inodes.ForNodes(&inode, [&](Node& node) { written = written || node.writers != 0; });
  if (written) return EBUSY;
  Place place;
  if (const int error = FindPlace(fs, inode, &place)) return error;
  auto id = NewFileId();
  if (!id) return EIO;
  const auto beside = std::string(kReservedPrefix) + ToHex(*id);
  int error = WriteBeside(fs, inode, place, beside);
  if (error == 0 &&
      ::renameat(place.folder.Get(), beside.c_str(), place.folder.Get(), place.name.c_str()) != 0) {
    error = errno;
  }
  if (error != 0) {
    (void)::unlinkat(place.folder.Get(), beside.c_str(), 0);
    return error;
  }
  (void)::fsync(place.folder.Get());
  return 0;
}

}  // namespace sealway::sealfs
