// Names: MKDIR, SYMLINK, LINK, READLINK, UNLINK, RMDIR. Layer: sealfs. RENAME: ops_rename.cpp.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "sealfs/new_file.h"
#include "sealfs/ops.h"

namespace sealway::sealfs {
namespace {

void ReplyEntry(FileSystem& fs, fuse_req_t req, int error, const fuse_entry_param& entry) {
  if (error != 0) {
    fuse_reply_err(req, error);
  } else if (fuse_reply_entry(req, &entry) != 0) {
    fs.inodes.Forget(NodeOf(fs, entry.ino), 1);
  }
}

int CheckName(FileSystem& fs, fuse_req_t req, const char* name) {
  if (IsReservedName(name)) return EPERM;
  if (!IsPlainName(name)) return EINVAL;
  return fs.Identify(req).Intruder() ? EACCES : 0;
}

int Finish(FileSystem& fs, const NewFileRequest& request, mode_t mode, fuse_entry_param* entry) {
  InodeTable::Pin inode;
  struct stat status {};
  if (const int error = fs.Resolve(*request.parent, request.name, &inode, &status)) return error;
  if (const int error = GiveTo(request, inode->path_fd.Get(), mode)) return error;
  return FillEntry(fs, *inode.Get(), View::kRaw, entry);
}

void Mkdir(fuse_req_t req, fuse_ino_t parent_id, const char* name, mode_t mode) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  const auto* context = fuse_req_ctx(req);
  const Inode& parent = *NodeOf(fs, parent_id)->inode;
  const NewFileRequest request{&parent, name, mode, context->umask, context->uid, context->gid};
  int error = CheckName(fs, req, name);
  const mode_t made = ModeForNew(parent, mode, context->umask) | S_IFDIR;
  if (error == 0 && ::mkdirat(parent.path_fd.Get(), name, made & 07777) != 0) error = errno;
  fuse_entry_param entry{};
  if (error == 0) error = Finish(fs, request, made, &entry);
  ReplyEntry(fs, req, error, entry);
}

void Symlink(fuse_req_t req, const char* target, fuse_ino_t parent_id, const char* name) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  const auto* context = fuse_req_ctx(req);
  const Inode& parent = *NodeOf(fs, parent_id)->inode;
  const NewFileRequest request{&parent, name, S_IFLNK, 0, context->uid, context->gid};
  int error = CheckName(fs, req, name);
  if (error == 0 && ::symlinkat(target, parent.path_fd.Get(), name) != 0) error = errno;
  fuse_entry_param entry{};
  if (error == 0) error = Finish(fs, request, S_IFLNK, &entry);
  ReplyEntry(fs, req, error, entry);
}

void Readlink(fuse_req_t req, fuse_ino_t ino) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  std::array<char, PATH_MAX + 1> target{};
  const ssize_t length =
      ::readlinkat(NodeOf(fs, ino)->inode->path_fd.Get(), "", target.data(), PATH_MAX);
  if (length < 0) {
    fuse_reply_err(req, errno);
    return;
  }
  target[static_cast<std::size_t>(length)] = '\0';
  fuse_reply_readlink(req, target.data());
}

void Link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent_id, const char* name) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  Node& node = *NodeOf(fs, ino);
  Inode& inode = *node.inode;
  const Inode& parent = *NodeOf(fs, parent_id)->inode;
  int error = CheckName(fs, req, name);
  const Caller caller = fs.Identify(req);
  if (error == 0) error = fs.CheckModify(inode, caller);
  // An unsealed file may not get a name under which only sealed ones are made.
  if (error == 0 && inode.IsRegular() && !inode.IsSealed() && !fs.IsExcluded(name)) error = EXDEV;
  if (error == 0 && ::linkat(AT_FDCWD, FdPath(inode.path_fd.Get()).Get(), parent.path_fd.Get(),
                             name, AT_SYMLINK_FOLLOW) != 0) {
    error = errno;
  }
  fuse_entry_param entry{};
  if (error == 0) error = FillEntry(fs, inode, fs.ViewFor(inode, caller), &entry);
  if (error == 0) fs.AttributesChanged(inode, NodeOf(fs, entry.ino));
  ReplyEntry(fs, req, error, entry);
}

void Unlink(fuse_req_t req, fuse_ino_t parent_id, const char* name) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  const Inode& parent = *NodeOf(fs, parent_id)->inode;
  InodeTable::Pin inode;
  struct stat status {};
  int error = fs.Resolve(parent, name, &inode, &status);
  if (error != 0) {
    fuse_reply_err(req, error);
    return;
  }
  const Caller caller = fs.Identify(req);
  error = fs.CheckModify(*inode.Get(), caller);
  const bool sealed = inode->IsRegular() && inode->IsSealed();
  EventFacts facts;
  if (sealed) {
    facts = MakeFacts(fs, "unlink", caller, inode.Get(), error);
    facts.table_version = fs.table.load()->Version();
  }
  if (error == 0 && ::unlinkat(parent.path_fd.Get(), name, 0) != 0) error = errno;
  if (sealed) {
    facts.error = error;
    facts.outcome = error == 0 ? Outcome::kOk : Outcome::kRefused;
    fs.events.Write(facts);
  }
  if (error == 0 && status.st_nlink > 1) fs.AttributesChanged(*inode.Get(), nullptr);
  fuse_reply_err(req, error);
}

void Rmdir(fuse_req_t req, fuse_ino_t parent_id, const char* name) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  int error = CheckName(fs, req, name);
  if (error == 0 &&
      ::unlinkat(NodeOf(fs, parent_id)->inode->path_fd.Get(), name, AT_REMOVEDIR) != 0) {
    error = errno;
  }
  fuse_reply_err(req, error);
}

}  // namespace

void AddNamespaceOperations(fuse_lowlevel_ops& ops) {
  ops.mkdir = Mkdir;
  ops.symlink = Symlink;
  ops.readlink = Readlink;
  ops.link = Link;
  ops.unlink = Unlink;
  ops.rmdir = Rmdir;
  AddRenameOperation(ops);
}

}  // namespace sealway::sealfs
