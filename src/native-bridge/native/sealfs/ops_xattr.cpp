// Extended attributes, passed through but for our own names. Layer: sealfs.
#include <sys/xattr.h>

#include <cerrno>
#include <string_view>

#include "sealfs/frame_buffers.h"
#include "sealfs/ops.h"

namespace sealway::sealfs {
namespace {

bool IsReservedAttribute(std::string_view name) {
  return name.starts_with("user.sealway.") || name.starts_with("trusted.sealway.") ||
         name.starts_with("security.sealway");
}

void Getxattr(fuse_req_t req, fuse_ino_t ino, const char* name, std::size_t size) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  if (IsReservedAttribute(name)) {
    fuse_reply_err(req, ENODATA);
    return;
  }
  const FdPath path(NodeOf(fs, ino)->inode->path_fd.Get());
  const auto out = FrameBuffer().Get(size);
  const ssize_t got = ::getxattr(path.Get(), name, out.data(), size);
  if (got < 0) {
    fuse_reply_err(req, errno);
  } else if (size == 0) {
    fuse_reply_xattr(req, static_cast<std::size_t>(got));
  } else {
    fuse_reply_buf(req, reinterpret_cast<const char*>(out.data()), static_cast<std::size_t>(got));
  }
}

// Takes our own names out of a list of zero-terminated ones; the length that is left.
std::size_t HideReserved(std::span<char> names) {
  std::size_t kept = 0;
  for (std::size_t at = 0; at < names.size();) {
    const std::string_view name(names.data() + at);
    const std::size_t length = name.size() + 1;
    if (!IsReservedAttribute(name)) {
      std::copy_n(names.data() + at, length, names.data() + kept);
      kept += length;
    }
    at += length;
  }
  return kept;
}

void Listxattr(fuse_req_t req, fuse_ino_t ino, std::size_t size) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  const FdPath path(NodeOf(fs, ino)->inode->path_fd.Get());
  const auto out = FrameBuffer().Get(65536);
  auto* names = reinterpret_cast<char*>(out.data());
  const ssize_t got = ::listxattr(path.Get(), names, out.size());
  if (got < 0) {
    fuse_reply_err(req, errno);
    return;
  }
  const std::size_t kept = HideReserved({names, static_cast<std::size_t>(got)});
  if (size == 0) {
    fuse_reply_xattr(req, kept);
  } else if (size < kept) {
    fuse_reply_err(req, ERANGE);
  } else {
    fuse_reply_buf(req, names, kept);
  }
}

// Attributes may hold content (comments, tags): a session changes them only where it may modify.
int CheckAttributeChange(FileSystem& fs, fuse_req_t req, Inode& inode, const char* name) {
  if (IsReservedAttribute(name)) return EPERM;
  return fs.CheckModify(inode, fs.Identify(req));
}

void Setxattr(fuse_req_t req, fuse_ino_t ino, const char* name, const char* value, std::size_t size,
              int flags) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  Node& node = *NodeOf(fs, ino);
  int error = CheckAttributeChange(fs, req, *node.inode, name);
  const FdPath path(node.inode->path_fd.Get());
  if (error == 0 && ::setxattr(path.Get(), name, value, size, flags) != 0) error = errno;
  if (error == 0) fs.AttributesChanged(*node.inode, nullptr);
  fuse_reply_err(req, error);
}

void Removexattr(fuse_req_t req, fuse_ino_t ino, const char* name) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  Node& node = *NodeOf(fs, ino);
  int error = CheckAttributeChange(fs, req, *node.inode, name);
  const FdPath path(node.inode->path_fd.Get());
  if (error == 0 && ::removexattr(path.Get(), name) != 0) error = errno;
  if (error == 0) fs.AttributesChanged(*node.inode, nullptr);
  fuse_reply_err(req, error);
}

}  // namespace

void AddXattrOperations(fuse_lowlevel_ops& ops) {
  ops.getxattr = Getxattr;
  ops.listxattr = Listxattr;
  ops.setxattr = Setxattr;
  ops.removexattr = Removexattr;
}

}  // namespace sealway::sealfs
