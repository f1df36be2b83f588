// OPEN and RELEASE: the view is decided again, and the handle keeps it. Layer: sealfs.
#include <fcntl.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "sealfs/ops.h"

namespace sealway::sealfs {
namespace {

// RELEASE comes a moment after close(2) has returned: an open that follows at once waits for it.
constexpr int kIngestWaitSteps = 100;
constexpr std::chrono::milliseconds kIngestWaitStep{1};

bool WantsWrite(int flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0; }

void Refuse(FileSystem& fs, fuse_req_t req, EventFacts facts, int error, bool write) {
  facts.error = error;
  facts.outcome = error == EIO ? Outcome::kError : Outcome::kRefused;
  facts.details = {{"write", write}, {"barrier", false}};
  fs.health.refused.fetch_add(1);
  fs.events.Write(facts);
  fuse_reply_err(req, error);
}

// True when nobody outside still writes the file.
bool AwaitIngestEnd(Inode& inode) {
  for (int step = 0; step < kIngestWaitSteps; ++step) {
    {
      const std::lock_guard lock(inode.mutex);
      if (!inode.ingest) return true;
    }
    std::this_thread::sleep_for(kIngestWaitStep);
  }
  return false;
}

int AcquirePlain(FileSystem& fs, Node& node, bool write, int flags, Handle* handle,
                 fuse_file_info* info) {
  Inode& inode = *node.inode;
  const bool quiet = AwaitIngestEnd(inode);
  if (!quiet && write) return EBUSY;
  Fault fault;
  int error = 0;
  {
    const std::lock_guard lock(inode.mutex);
    error = fs.AcquireLocked(inode, write, &handle->file, &fault);
    if (error == 0 && inode.ingest) {
      // Someone outside still writes: the kernel must not keep pages, nor he read back.
      inode.ingest->unreadable = true;
      info->direct_io = 1;
    }
  }
  if (error == 0 && (flags & O_TRUNC) != 0) {
    fs.Touched(inode, &node);
    error = handle->file->Resize(0, &fault);
    fs.Touched(inode, &node);
  }
  if (error == EIO) fs.ReportFault(inode, fault);
  info->keep_cache = node.version == inode.plain_version;
  return error;
}

void OpenPlain(FileSystem& fs, fuse_req_t req, Node* node, const Caller& caller,
               fuse_file_info* info) {
  if (!caller.Inside() && !fs.fixed_plain) {
    fuse_reply_err(req, ESTALE);
    return;
  }
  Inode& inode = *node->inode;
  const bool write = WantsWrite(info->flags);
  auto facts = MakeFacts(fs, "open", caller, &inode, 0);
  facts.view = "plain";
  const auto table = fs.table.load();
  facts.table_version = table->Version();
  auto verdict = inode.head.key != nullptr ? fs.VerdictFor(inode, caller) : Verdict{};
  facts.rule_ids = verdict.rule_ids;
  const bool damaged = inode.kind == Kind::kDamaged;
  if (!damaged && (!verdict.open || (write && !verdict.modify) || (write && fs.read_only))) {
    return Refuse(fs, req, std::move(facts), fs.read_only && verdict.open ? EROFS : EACCES, write);
  }
  const auto* rule = damaged ? nullptr : table->Label(inode.head.key->label);
  const bool barrier = rule != nullptr && rule->barrier;
  if (barrier && !fs.barrier.Connected()) return Refuse(fs, req, std::move(facts), EIO, write);
  auto handle = std::make_unique<Handle>();
  handle->node = node;
  handle->write = write;
  if (const int error = AcquirePlain(fs, *node, write, info->flags, handle.get(), info)) {
    return Refuse(fs, req, std::move(facts), error, write);
  }
  fs.health.plain.fetch_add(1);
  facts.details = {{"write", write}, {"barrier", barrier}};
  facts.SetFile(FactsOf(fs, inode));
  CountHandle(fs, *handle);
  handle->open_sequence = fs.events.Write(facts);
  handle->opened = std::make_unique<EventFacts>(std::move(facts));
  if (!barrier) return ReplyHandle(fs, req, std::move(handle), info, nullptr);
  // Record lost (full spool): it cannot become durable.
  const std::uint64_t sequence = handle->open_sequence;
  auto finish = [&fs, req, held = std::make_shared<std::unique_ptr<Handle>>(std::move(handle)),
                 reply = *info](bool durable) mutable {
    if (durable) {
      ReplyHandle(fs, req, std::move(*held), &reply, nullptr);
      return;
    }
    auto late = *(*held)->opened;
    late.outcome = Outcome::kError;
    late.error = EIO;
    fs.events.Write(late);
    CloseHandle(fs, std::move(*held));
    fuse_reply_err(req, EIO);
  };
  if (sequence == 0) {
    finish(false);
  } else {
    fs.barrier.Park(sequence, std::move(finish));
  }
}

// An outsider opens an empty sealed file for writing: the kernel walks again, and the walk gives
// this thread of his a node to write to. An open of a file with content for writing is refused.
int SealedWriteAnswer(Inode& inode, const Caller& caller) {
  struct stat status {};
  if (::fstatat(inode.path_fd.Get(), "", &status, AT_EMPTY_PATH) != 0) return errno;
  const std::lock_guard lock(inode.mutex);
  if (inode.kind != Kind::kSealed || inode.ingest) return EACCES;
  if (static_cast<std::uint64_t>(status.st_size) != kHeadBytes) return EACCES;
  inode.ingest_ticket = caller.pid;
  return ESTALE;
}

void OpenSealed(FileSystem& fs, fuse_req_t req, Node* node, const Caller& caller,
                fuse_file_info* info) {
  Inode& inode = *node->inode;
  const bool write = WantsWrite(info->flags);
  int error = 0;
  if (caller.Inside()) {
    error = caller.Intruder() ? EACCES : ESTALE;
  } else if (write) {
    error = SealedWriteAnswer(inode, caller);
  }
  auto handle = std::make_unique<Handle>();
  if (error == 0) {
    handle->node = node;
    handle->fd = Reopen(inode.path_fd.Get(), O_RDONLY);
    if (!handle->fd) error = errno;
  }
  if (error == ESTALE) {
    fuse_reply_err(req, ESTALE);
    return;
  }
  const auto table = fs.table.load();
  const auto* rule = inode.head.key != nullptr ? table->Label(inode.head.key->label) : nullptr;
  if (error != 0 || (rule != nullptr && rule->record_sealed_opens)) {
    auto facts = MakeFacts(fs, "open", caller, &inode, error);
    facts.view = "sealed";
    facts.table_version = table->Version();
    facts.details = {{"write", write}, {"barrier", false}};
    fs.events.WriteSealedOpen(facts, inode.key.ino);
  }
  if (error != 0) {
    fs.health.refused.fetch_add(1);
    fuse_reply_err(req, error);
    return;
  }
  fs.health.sealed.fetch_add(1);
  info->keep_cache = node->version == inode.sealed_version;
  CountHandle(fs, *handle);
  ReplyHandle(fs, req, std::move(handle), info, nullptr);
}

void OpenRaw(FileSystem& fs, fuse_req_t req, Node* node, const Caller& caller,
             fuse_file_info* info) {
  Inode& inode = *node->inode;
  const bool write = WantsWrite(info->flags);
  if (write && caller.Intruder()) {
    fuse_reply_err(req, EACCES);
    return;
  }
  if (write && inode.IsRegular()) {
    const auto path = fs.backing.RelativePath(inode.path_fd.Get());
    const auto slash = path.rfind('/');
    const auto name = slash == std::string::npos ? path : path.substr(slash + 1);
    // Attack: an outsider lays out a file of an unsealed name for a session to write a document
    // into.
    if (caller.Inside() || !fs.IsExcluded(name)) {
      const int error = SealInPlace(fs, inode);
      fuse_reply_err(req, error == 0 ? ESTALE : error);
      return;
    }
  }
  auto handle = std::make_unique<Handle>();
  handle->node = node;
  handle->write = write;
  // Write-back caching reads pages through a descriptor that was opened for writing only, and does
  // the appending itself.
  int flags = info->flags & ~(O_APPEND | O_NOFOLLOW | O_CREAT | O_EXCL);
  if ((flags & O_ACCMODE) == O_WRONLY) flags = (flags & ~O_ACCMODE) | O_RDWR;
  handle->fd = Reopen(inode.path_fd.Get(), flags);
  if (!handle->fd) {
    fuse_reply_err(req, errno);
    return;
  }
  info->keep_cache = 1;
  CountHandle(fs, *handle);
  ReplyHandle(fs, req, std::move(handle), info, nullptr);
}

void OpenIngest(FileSystem& fs, fuse_req_t req, Node* node, const Caller& caller,
                fuse_file_info* info) {
  Inode& inode = *node->inode;
  auto handle = std::make_unique<Handle>();
  handle->node = node;
  handle->write = true;
  Fault fault;
  int error = 0;
  {
    const std::lock_guard lock(inode.mutex);
    const bool mine = inode.ingest_ticket != 0 && inode.ingest_ticket == caller.pid;
    error = mine ? fs.AcquireLocked(inode, true, &handle->file, &fault) : ESTALE;
    inode.ingest_ticket = 0;
    if (error == 0) {
      inode.ingest = std::make_unique<Ingest>();
    }
  }
  if (error != 0) {
    fuse_reply_err(req, error);
    return;
  }
  CountHandle(fs, *handle);
  ReplyHandle(fs, req, std::move(handle), info, nullptr);
}

void Open(fuse_req_t req, fuse_ino_t ino, fuse_file_info* info) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health, &fs.health.open);
  OpenNode(fs, req, NodeOf(fs, ino), info);
}

void Release(fuse_req_t req, fuse_ino_t /*ino*/, fuse_file_info* info) {
  auto& fs = FileSystemOf(req);
  CloseHandle(fs, std::unique_ptr<Handle>(HandleOf(info)));
  fuse_reply_err(req, 0);
}

}  // namespace

void OpenNode(FileSystem& fs, fuse_req_t req, Node* node, fuse_file_info* info) {
  const Caller caller = fs.Identify(req);
  switch (node->view) {
    case View::kPlain:
      return OpenPlain(fs, req, node, caller, info);
    case View::kSealed:
      return OpenSealed(fs, req, node, caller, info);
    case View::kRaw:
      return OpenRaw(fs, req, node, caller, info);
    case View::kIngest:
      return OpenIngest(fs, req, node, caller, info);
  }
}

void ReplyHandle(FileSystem& fs, fuse_req_t req, std::unique_ptr<Handle> handle,
                 fuse_file_info* info, const fuse_entry_param* created) {
  info->fh = reinterpret_cast<std::uint64_t>(handle.get());
  const int result =
      created == nullptr ? fuse_reply_open(req, info) : fuse_reply_create(req, created, info);
  if (result == 0) {
    (void)handle.release();  // the kernel's now, until RELEASE
    return;
  }
  if (created != nullptr) fs.inodes.Forget(handle->node, 1);
  CloseHandle(fs, std::move(handle));
}

void CountHandle(FileSystem& fs, Handle& handle) {
  Node& node = *handle.node;
  Inode& inode = *node.inode;
  fs.inodes.Reference(&node);
  node.handles.fetch_add(1);
  if (handle.write) node.writers.fetch_add(1);
  fs.health.open_files.fetch_add(1);
  const std::lock_guard lock(inode.mutex);
  if (node.view == View::kIngest && inode.ingest) ++inode.ingest->handles;
  if (node.view != View::kPlain) return;
  ++inode.plain_handles;
  if (handle.write) ++inode.plain_writers;
}

namespace {

void WriteCloseEvent(FileSystem& fs, const Handle& handle) {
  if (!handle.opened) return;
  auto facts = *handle.opened;
  facts.op = "close";
  facts.file.plain_size = handle.file->PlainSize();
  facts.details = {{"openSequence", handle.open_sequence},
                   {"bytesRead", handle.bytes_read.load()},
                   {"bytesWritten", handle.bytes_written.load()}};
  fs.events.Write(facts);
}

void WriteSealedIn(FileSystem& fs, const Handle& handle, bool as_container,
                   std::uint64_t bytes_written) {
  if (!handle.opened) return;
  auto facts = MakeFacts(fs, "sealed-in", handle.opened->caller, handle.node->inode, 0);
  facts.executable = handle.opened->executable;
  facts.details = {{"asContainer", as_container}, {"bytesWritten", bytes_written}};
  fs.events.Write(facts);
}

// Whether the file must be queued for sealing. Hold inode.mutex.
bool WantsSealingLocked(Inode& inode) {
  if (!inode.file || inode.queued_for_sealing || inode.plain_writers != 0 || inode.ingest)
    return false;
  if (!inode.file->IsOpenState() || !inode.file->Writable()) return false;
  inode.queued_for_sealing = true;
  return true;
}

}  // namespace

void CloseHandle(FileSystem& fs, std::unique_ptr<Handle> handle) {
  Node* node = handle->node;
  Inode& inode = *node->inode;
  bool queue = false;
  bool ingest_done = false;
  bool as_container = false;
  std::uint64_t ingest_bytes = 0;
  if (node->view == View::kPlain) WriteCloseEvent(fs, *handle);
  {
    const std::lock_guard lock(inode.mutex);
    if (node->view == View::kPlain) {
      --inode.plain_handles;
      if (handle->write) --inode.plain_writers;
    } else if (node->view == View::kIngest && inode.ingest && --inode.ingest->handles == 0) {
      ingest_done = true;
      ingest_bytes = inode.ingest->bytes_written;
      as_container = FinishIngestLocked(fs, inode);
    } else if (node->view == View::kRaw && handle->write && inode.IsRegular()) {
      inode.kind = Kind::kOther;  // what was written may be a container: look again
    }
    queue = WantsSealingLocked(inode);
    fs.DropIfUnusedLocked(inode);
  }
  if (ingest_done) {
    fs.Touched(inode, node);
    WriteSealedIn(fs, *handle, as_container, ingest_bytes);
    fs.notifier.InvalidatePages(reinterpret_cast<std::uint64_t>(node));
  }
  if (queue) fs.seals.Add(fs.inodes.Find(inode.key));
  node->handles.fetch_sub(1);
  if (handle->write) node->writers.fetch_sub(1);
  fs.health.open_files.fetch_sub(1);
  handle.reset();
  fs.inodes.Forget(node, 1);
}

FileFacts FactsOf(FileSystem& fs, Inode& inode) {
  FileFacts facts;
  facts.path = fs.backing.RelativePath(inode.path_fd.Get());
  const std::lock_guard lock(inode.mutex);
  if (inode.head.key != nullptr) {
    facts.key = inode.head.key;
    facts.id = inode.head.file_id;
  }
  if (inode.file) facts.plain_size = inode.file->PlainSize();
  return facts;
}

EventFacts MakeFacts(FileSystem& fs, const char* op, const Caller& caller, Inode* inode,
                     int error) {
  EventFacts facts;
  facts.op = op;
  facts.caller = caller;
  facts.executable = fs.inspector.ExecutablePath(caller.pid);
  if (inode != nullptr) facts.SetFile(FactsOf(fs, *inode));
  facts.error = error;
  facts.outcome = error == 0 ? Outcome::kOk : error == EIO ? Outcome::kError : Outcome::kRefused;
  return facts;
}

void AddOpenOperations(fuse_lowlevel_ops& ops) {
  ops.open = Open;
  ops.release = Release;
}

}  // namespace sealway::sealfs
