// CREATE and MKNOD: new files are sealed from their first byte. Layer: sealfs.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "sealfs/new_file.h"
#include "sealfs/ops.h"

namespace sealway::sealfs {
namespace {

NewFileRequest RequestFor(fuse_req_t req, const Inode& parent, const char* name, mode_t mode) {
  const auto* context = fuse_req_ctx(req);
  return {&parent, name, mode, context->umask, context->uid, context->gid};
}

// 0 when the caller may make files here at all.
int CheckCreate(FileSystem& fs, const Caller& caller, const char* name) {
  if (IsReservedName(name)) return EPERM;
  if (!IsPlainName(name)) return EINVAL;
  if (fs.read_only) return EROFS;
  if (caller.Intruder()) return EACCES;
  if (!caller.Inside() && !fs.fixed_plain) return 0;
  const auto configuration = fs.folder.load();
  if (!configuration) return ENOKEY;
  return fs.VerdictFor(configuration->Key(), caller).modify ? 0 : EACCES;
}

bool MadeUnsealed(FileSystem& fs, const Caller& caller, const char* name) {
  return !caller.Inside() && !fs.fixed_plain && fs.IsExcluded(name);
}

int MakeUnsealedFile(FileSystem& fs, const NewFileRequest& request, UniqueFd* fd,
                     InodeTable::Pin* inode) {
  const mode_t mode = ModeForNew(*request.parent, request.mode, request.umask) | S_IFREG;
  fd->Reset(::openat(request.parent->path_fd.Get(), request.name,
                     O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 07777));
  if (!*fd) return errno;
  int error = GiveTo(request, fd->Get(), mode);
  struct stat status {};
  if (error == 0) error = fs.Resolve(*request.parent, request.name, inode, &status);
  if (error != 0) (void)::unlinkat(request.parent->path_fd.Get(), request.name, 0);
  return error;
}

// Who made what, for the record and for the `close` or `sealed-in` that follows.
void RecordCreate(FileSystem& fs, const Caller& caller, Inode& inode, View view, Handle* handle) {
  auto facts = MakeFacts(fs, "create", caller, &inode, 0);
  facts.view = view == View::kPlain ? "plain" : view == View::kRaw ? "raw" : "sealed";
  facts.details = {{"by", std::string(caller.Inside() ? "session" : "outside")}};
  facts.table_version = fs.table.load()->Version();
  const std::uint64_t sequence = fs.events.Write(facts);
  if (handle == nullptr) return;
  handle->open_sequence = sequence;
  handle->opened = std::make_unique<EventFacts>(std::move(facts));
}

int FillCreated(FileSystem& fs, Inode& inode, View view, Handle* handle, fuse_entry_param* entry) {
  if (view == View::kRaw) {
    if (const int error = FillEntry(fs, inode, view, entry)) return error;
  } else {
    const std::lock_guard lock(inode.mutex);
    handle->file = inode.file;
    if (view == View::kIngest) inode.ingest = std::make_unique<Ingest>();
  }
  if (view != View::kRaw) {
    if (const int error = FillEntry(fs, inode, view, entry)) return error;
  }
  handle->node = NodeOf(fs, entry->ino);
  handle->write = true;
  CountHandle(fs, *handle);
  return 0;
}

void Create(fuse_req_t req, fuse_ino_t parent_id, const char* name, mode_t mode,
            fuse_file_info* info) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health, &fs.health.open);
  const Caller caller = fs.Identify(req);
  const Inode& parent = *NodeOf(fs, parent_id)->inode;
  const auto request = RequestFor(req, parent, name, mode);
  auto handle = std::make_unique<Handle>();
  InodeTable::Pin inode;
  View view = caller.Inside() || fs.fixed_plain ? View::kPlain : View::kIngest;
  int error = CheckCreate(fs, caller, name);
  if (error == 0 && MadeUnsealed(fs, caller, name)) {
    view = View::kRaw;
    error = MakeUnsealedFile(fs, request, &handle->fd, &inode);
  } else if (error == 0) {
    error = MakeSealedFile(fs, request, &inode);
  }
  // Somebody was faster: the kernel walks again and opens what is there.
  if (error == EEXIST && (info->flags & O_EXCL) == 0) error = ESTALE;
  fuse_entry_param entry{};
  if (error == 0) error = FillCreated(fs, *inode.Get(), view, handle.get(), &entry);
  if (error != 0) {
    if (error != EEXIST && error != ESTALE) fs.health.refused.fetch_add(1);
    fuse_reply_err(req, error);
    return;
  }
  RecordCreate(fs, caller, *inode.Get(), view, handle.get());
  info->keep_cache = 1;
  ReplyHandle(fs, req, std::move(handle), info, &entry);
}

// mkfifo, sockets and devices have one view; a regular file is made and closed at once.
void Mknod(fuse_req_t req, fuse_ino_t parent_id, const char* name, mode_t mode, dev_t device) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  const Caller caller = fs.Identify(req);
  const Inode& parent = *NodeOf(fs, parent_id)->inode;
  const auto request = RequestFor(req, parent, name, mode);
  InodeTable::Pin inode;
  int error = CheckCreate(fs, caller, name);
  if (error == 0 && S_ISREG(mode) && !MadeUnsealed(fs, caller, name)) {
    error = MakeSealedFile(fs, request, &inode);
    if (error == 0) {
      RecordCreate(fs, caller, *inode.Get(), View::kSealed, nullptr);
      const std::lock_guard lock(inode->mutex);
      inode->queued_for_sealing = true;
    }
    if (error == 0) fs.seals.Add(fs.inodes.Find(inode->key));
  } else if (error == 0) {
    const mode_t made = ModeForNew(parent, mode, request.umask);
    error = ::mknodat(parent.path_fd.Get(), name, made, device) == 0 ? 0 : errno;
    struct stat status {};
    if (error == 0) error = fs.Resolve(parent, name, &inode, &status);
    if (error == 0) error = GiveTo(request, inode->path_fd.Get(), made);
  }
  fuse_entry_param entry{};
  if (error == 0) error = FillEntry(fs, *inode.Get(), fs.ViewFor(*inode.Get(), caller), &entry);
  if (error != 0) {
    fuse_reply_err(req, error);
  } else if (fuse_reply_entry(req, &entry) != 0) {
    fs.inodes.Forget(NodeOf(fs, entry.ino), 1);
  }
}

}  // namespace

void AddCreateOperations(fuse_lowlevel_ops& ops) {
  ops.create = Create;
  ops.mknod = Mknod;
}

}  // namespace sealway::sealfs
