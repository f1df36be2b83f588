// GETATTR, SETATTR, STATFS. Layer: sealfs.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "sealfs/ops.h"

namespace sealway::sealfs {
namespace {

constexpr int kTimes =
    FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME_NOW;

void ReplyAttributes(FileSystem& fs, fuse_req_t req, const Node& node) {
  struct stat status {};
  if (const int error = fs.Attributes(node, &status)) {
    fuse_reply_err(req, error);
  } else {
    fuse_reply_attr(req, &status, AttributeTimeout(node));
  }
}

void Getattr(fuse_req_t req, fuse_ino_t ino, fuse_file_info* /*info*/) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  ReplyAttributes(fs, req, *NodeOf(fs, ino));
}

void RecordTruncate(FileSystem& fs, const Caller& caller, Inode& inode, std::uint64_t size,
                    int error) {
  auto facts = MakeFacts(fs, "truncate", caller, &inode, error);
  facts.view = caller.Inside() ? "plain" : "sealed";
  facts.table_version = fs.table.load()->Version();
  facts.details = {{"size", size}};
  fs.events.Write(facts);
}

int ResizeUnsealed(FileSystem& fs, Node& node, Handle* handle, std::uint64_t size) {
  Inode& inode = *node.inode;
  if (handle != nullptr)
    return ::ftruncate(handle->fd.Get(), static_cast<off_t>(size)) == 0 ? 0 : errno;
  const auto path = fs.backing.RelativePath(inode.path_fd.Get());
  const auto slash = path.rfind('/');
  if (!fs.IsExcluded(slash == std::string::npos ? path : path.substr(slash + 1))) {
    const int error = SealInPlace(fs, inode);
    return error == 0 ? ESTALE : error;
  }
  const UniqueFd fd = Reopen(inode.path_fd.Get(), O_WRONLY);
  if (!fd) return errno;
  return ::ftruncate(fd.Get(), static_cast<off_t>(size)) == 0 ? 0 : errno;
}

int ResizePlainByPath(FileSystem& fs, Node& node, const Caller& caller, std::uint64_t size,
                      Fault* fault) {
  Inode& inode = *node.inode;
  if (!caller.Inside() && !fs.fixed_plain) return ESTALE;
  if (inode.kind == Kind::kDamaged) return EIO;
  if (!fs.VerdictFor(inode, caller).modify) return EACCES;
  bool queue = false;
  int error = 0;
  {
    const std::lock_guard lock(inode.mutex);
    if (inode.ingest) return EBUSY;
    std::shared_ptr<SealedFile> file;
    error = fs.AcquireLocked(inode, true, &file, fault);
    if (error == 0) error = file->Resize(size, fault);
    queue = error == 0 && inode.plain_writers == 0 && !inode.queued_for_sealing;
    if (queue) inode.queued_for_sealing = true;
    fs.DropIfUnusedLocked(inode);
  }
  if (queue) fs.seals.Add(fs.inodes.Find(inode.key));
  return error;
}

int Resize(FileSystem& fs, fuse_req_t req, Node& node, Handle* handle, std::uint64_t size) {
  Inode& inode = *node.inode;
  if (node.view == View::kRaw) return ResizeUnsealed(fs, node, handle, size);
  const Caller caller = fs.Identify(req);
  Fault fault;
  int error = EACCES;
  fs.Touched(inode, &node);
  if (node.view == View::kIngest) {
    error = handle != nullptr ? ResizeIngest(*handle, size, &fault) : ESTALE;
  } else if (node.view == View::kPlain) {
    error = handle != nullptr ? handle->file->Resize(size, &fault)
                              : ResizePlainByPath(fs, node, caller, size, &fault);
  } else if (size == 0) {
    struct stat status {};
    const bool empty = fs.Attributes(node, &status) == 0 &&
                       static_cast<std::uint64_t>(status.st_size) == kHeadBytes;
    error = empty && !caller.Inside() ? 0 : EACCES;
  }
  fs.Touched(inode, &node);
  if (error == EIO) fs.ReportFault(inode, fault);
  if (error != ESTALE) RecordTruncate(fs, caller, inode, size, error);
  return error;
}

int SetTimes(const Inode& inode, const struct stat& attributes, int valid) {
  std::array<struct timespec, 2> times = {timespec{0, UTIME_OMIT}, timespec{0, UTIME_OMIT}};
  if ((valid & FUSE_SET_ATTR_ATIME) != 0) times[0] = attributes.st_atim;
  if ((valid & FUSE_SET_ATTR_MTIME) != 0) times[1] = attributes.st_mtim;
  if ((valid & FUSE_SET_ATTR_ATIME_NOW) != 0) times[0].tv_nsec = UTIME_NOW;
  if ((valid & FUSE_SET_ATTR_MTIME_NOW) != 0) times[1].tv_nsec = UTIME_NOW;
  return ::utimensat(AT_FDCWD, FdPath(inode.path_fd.Get()).Get(), times.data(), 0) == 0 ? 0 : errno;
}

int Apply(FileSystem& fs, fuse_req_t req, Node& node, Handle* handle, const struct stat& attributes,
          int valid) {
  Inode& inode = *node.inode;
  const int path_fd = inode.path_fd.Get();
  if ((valid & FUSE_SET_ATTR_MODE) != 0 &&
      ::chmod(FdPath(path_fd).Get(), attributes.st_mode & 07777) != 0) {
    return errno;
  }
  if ((valid & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) != 0) {
    const uid_t uid = (valid & FUSE_SET_ATTR_UID) != 0 ? attributes.st_uid : static_cast<uid_t>(-1);
    const gid_t gid = (valid & FUSE_SET_ATTR_GID) != 0 ? attributes.st_gid : static_cast<gid_t>(-1);
    if (::fchownat(path_fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) return errno;
  }
  if ((valid & FUSE_SET_ATTR_SIZE) != 0) {
    const auto size = static_cast<std::uint64_t>(attributes.st_size);
    if (const int error = Resize(fs, req, node, handle, size)) return error;
  }
  if ((valid & kTimes) != 0) {
    if (const int error = SetTimes(inode, attributes, valid)) return error;
    // The kernel keeps its own modification time for each node: other views need new nodes.
    if (inode.IsRegular()) fs.Touched(inode, &node);
  }
  return 0;
}

void Setattr(fuse_req_t req, fuse_ino_t ino, struct stat* attributes, int valid,
             fuse_file_info* info) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  Node& node = *NodeOf(fs, ino);
  const int error =
      Apply(fs, req, node, info == nullptr ? nullptr : HandleOf(info), *attributes, valid);
  if (error != 0) {
    fuse_reply_err(req, error);
    return;
  }
  if (node.inode->IsRegular()) fs.AttributesChanged(*node.inode, &node);
  ReplyAttributes(fs, req, node);
}

void Statfs(fuse_req_t req, fuse_ino_t /*ino*/) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  struct statvfs status {};
  if (::fstatvfs(fs.backing.RootFd(), &status) != 0) {
    fuse_reply_err(req, errno);
  } else {
    fuse_reply_statfs(req, &status);
  }
}

}  // namespace

void AddAttributeOperations(fuse_lowlevel_ops& ops) {
  ops.getattr = Getattr;
  ops.setattr = Setattr;
  ops.statfs = Statfs;
}

}  // namespace sealway::sealfs
