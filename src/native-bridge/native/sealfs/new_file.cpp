// Making new sealed files. Layer: sealfs.
#include "sealfs/new_file.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "common/io.h"

namespace sealway::sealfs {
namespace {

std::uint64_t NowMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

int Adopt(FileSystem& fs, FreshHead head, UniqueFd fd, InodeTable::Pin* pin) {
  struct stat status {};
  if (::fstat(fd.Get(), &status) != 0) return errno;
  UniqueFd path = Reopen(fd.Get(), O_PATH);
  if (!path) return errno;
  auto parsed = ParseHead(head.bytes);
  if (!parsed) return parsed.GetError().ToErrno();
  const RedoTarget target{status.st_dev, status.st_ino, head.fields.file_id};
  fs.redo.MarkDirty(target);
  *pin = fs.inodes.FindOrMake({status.st_dev, status.st_ino}, std::move(path), status.st_mode);
  Inode& inode = *pin->Get();
  const std::lock_guard lock(inode.mutex);
  inode.head.key = fs.keys.Intern({head.fields.area, head.fields.label, head.fields.epoch});
  inode.head.file_id = head.fields.file_id;
  inode.head.chunk_log2 = head.fields.chunk_log2;
  inode.kind = Kind::kSealed;
  inode.file =
      std::make_shared<SealedFile>(std::move(fd), true, std::move(*parsed), std::move(head.secret),
                                   std::move(head.label_key), kHeadBytes, target, &fs.redo);
  return 0;
}

}  // namespace

int MakeFreshHead(FileSystem& fs, FreshHead* head) {
  const auto configuration = fs.folder.load();
  if (!configuration) return ENOKEY;
  auto key = fs.keys.Get(configuration->Key());
  if (!key) return ENOKEY;
  auto id = NewFileId();
  auto secret = NewHeadSecret();
  if (!id || !secret) return EIO;
  auto& fields = head->fields;
  fields.file_id = *id;
  fields.device_id = configuration->device_id;
  fields.created_ms = NowMs();
  fields.epoch = configuration->key_epoch;
  fields.label = configuration->label;
  fields.area = configuration->area;
  head->secret = std::move(*secret);
  head->label_key = std::move(*key);
  const std::string_view text =
      configuration->preamble.empty() ? DefaultPreambleText() : configuration->preamble;
  auto bytes = MakeHead(fields, head->secret, head->label_key, text);
  if (!bytes) return bytes.GetError().ToErrno();
  head->bytes = *bytes;
  return 0;
}

mode_t ModeForNew(const Inode& parent, mode_t mode, mode_t umask) {
  if (umask == 0) return mode;
  const ssize_t acl =
      ::getxattr(FdPath(parent.path_fd.Get()).Get(), "system.posix_acl_default", nullptr, 0);
  return acl > 0 ? mode : mode & ~umask;
}

int GiveTo(const NewFileRequest& request, int fd, mode_t mode) {
  struct stat parent {};
  if (::fstatat(request.parent->path_fd.Get(), "", &parent, AT_EMPTY_PATH) != 0) return errno;
  // In a set-group-id folder the group is the folder's, and the store has seen to it.
  const gid_t gid = (parent.st_mode & S_ISGID) != 0 ? static_cast<gid_t>(-1) : request.gid;
  if (request.uid == ::geteuid() && (gid == static_cast<gid_t>(-1) || gid == ::getegid())) return 0;
  if (::fchownat(fd, "", request.uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) return errno;
  // chown(2) takes these bits away from files.
  if (S_ISREG(mode) && (mode & (S_ISUID | S_ISGID)) != 0) {
    if (::chmod(FdPath(fd).Get(), mode & 07777) != 0) return errno;
  }
  return 0;
}

int MakeSealedFile(FileSystem& fs, const NewFileRequest& request, InodeTable::Pin* inode) {
  FreshHead head;
  if (const int error = MakeFreshHead(fs, &head)) return error;
  const mode_t mode = ModeForNew(*request.parent, request.mode, request.umask) | S_IFREG;
  UniqueFd fd(::openat(request.parent->path_fd.Get(), request.name,
                       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 07777));
  if (!fd) return errno;
  int error = 0;
  if (auto written = PwriteAll(fd.Get(), head.bytes, 0); !written) {
    error = written.GetError().ToErrno();
  }
  if (error == 0) error = GiveTo(request, fd.Get(), mode);
  if (error == 0) error = Adopt(fs, std::move(head), std::move(fd), inode);
  if (error != 0) (void)::unlinkat(request.parent->path_fd.Get(), request.name, 0);
  return error;
}

}  // namespace sealway::sealfs
