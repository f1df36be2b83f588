// Questions that several operations ask. Layer: sealfs.
#include "sealfs/file_system.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "container/whole_file.h"

namespace sealway::sealfs {
namespace {

// Small files are checked whole at their first open, larger ones beside the reading.
constexpr std::uint64_t kVerifyAtOpenBytes = std::uint64_t{16} * 1024 * 1024;

}  // namespace

FileSystem::FileSystem() : table(std::make_shared<const VerdictTable>()) {}

Caller FileSystem::Identify(fuse_req_t req) const {
  const auto* context = fuse_req_ctx(req);
  return sealfs::Identify(inspector, sessions, context->pid, context->uid, context->gid);
}

View FileSystem::ViewFor(Inode& inode, const Caller& caller) const {
  if (!inode.IsRegular() || !inode.IsSealed()) return View::kRaw;
  if (fixed_plain) return View::kPlain;
  if (caller.Inside()) return caller.Intruder() ? View::kSealed : View::kPlain;
  return View::kSealed;
}

Verdict FileSystem::VerdictFor(const KeyName& key, const Caller& caller) const {
  if (fixed_plain) return {true, true, {}};
  return Decide(*table.load(), inspector, caller, key.label, key.area);
}

Verdict FileSystem::VerdictFor(Inode& inode, const Caller& caller) const {
  const KeyName* key = nullptr;
  {
    const std::lock_guard lock(inode.mutex);
    key = inode.head.key;
  }
  return key == nullptr ? Verdict{} : VerdictFor(*key, caller);
}

int FileSystem::CheckModify(Inode& inode, const Caller& caller) const {
  if (!caller.Inside() || !inode.IsSealed()) return caller.Intruder() ? EACCES : 0;
  return VerdictFor(inode, caller).modify ? 0 : EACCES;
}

bool FileSystem::IsExcluded(std::string_view name) const {
  const auto configuration = folder.load();
  if (!configuration) return false;
  const std::string text(name);
  for (const auto& pattern : configuration->exclude) {
    if (::fnmatch(pattern.c_str(), text.c_str(), 0) == 0) return true;
  }
  return false;
}

int FileSystem::Resolve(const Inode& parent, const char* name, InodeTable::Pin* inode,
                        struct stat* status) {
  if (!IsPlainName(name) || IsReservedName(name)) return ENOENT;
  if (::fstatat(parent.path_fd.Get(), name, status, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  if (status->st_dev != backing.RootStat().st_dev) return EXDEV;
  *inode = inodes.Find({status->st_dev, status->st_ino});
  if (!*inode) {
    UniqueFd path(::openat(parent.path_fd.Get(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!path) return errno;
    // The name may mean another file by now: what was opened counts.
    if (::fstatat(path.Get(), "", status, AT_EMPTY_PATH) != 0) return errno;
    if (status->st_dev != backing.RootStat().st_dev) return EXDEV;
    *inode = inodes.FindOrMake({status->st_dev, status->st_ino}, std::move(path), status->st_mode);
  }
  Classify(*inode->Get());
  return 0;
}

void FileSystem::Classify(Inode& inode) {
  if (!inode.IsRegular() || inode.kind != Kind::kOther) return;
  const std::lock_guard lock(inode.mutex);
  if (inode.kind == Kind::kOther) ClassifyLocked(inode);
}

void FileSystem::ClassifyLocked(Inode& inode) {
  const UniqueFd fd = ReopenQuietly(inode.path_fd.Get(), O_RDONLY);
  auto head = fd ? ReadHead(fd.Get()) : Result<ParsedHead>(FailErrno(errno, "open"));
  if (head) {
    const auto& fields = head->fields;
    inode.head.key = keys.Intern({fields.area, fields.label, fields.epoch});
    inode.head.file_id = fields.file_id;
    inode.head.chunk_log2 = fields.chunk_log2;
    inode.kind = Kind::kSealed;
  } else if (head.Code() == ErrorCode::kContainerMagic) {
    inode.kind = Kind::kUnsealed;
  } else {
    inode.kind = Kind::kDamaged;
  }
}

int FileSystem::Attributes(const Node& node, struct stat* status) {
  Inode& inode = *node.inode;
  if (::fstatat(inode.path_fd.Get(), "", status, AT_EMPTY_PATH) != 0) return errno;
  if (node.view != View::kPlain && node.view != View::kIngest) return 0;
  const std::lock_guard lock(inode.mutex);
  if (inode.ingest && inode.ingest->mode == Ingest::Mode::kAdopting) return 0;
  if (inode.ingest && inode.ingest->mode == Ingest::Mode::kHolding) {
    status->st_size = static_cast<off_t>(inode.ingest->held.size());
  } else if (inode.file) {
    status->st_size = static_cast<off_t>(inode.file->PlainSize());
  } else if (auto size = Geometry{inode.head.chunk_log2}.PlainSize(
                 static_cast<std::uint64_t>(status->st_size))) {
    status->st_size = static_cast<off_t>(*size);
  }
  return 0;
}

int FileSystem::AcquireLocked(Inode& inode, bool write, std::shared_ptr<SealedFile>* file,
                              Fault* fault) {
  if (inode.kind == Kind::kDamaged) {
    *fault = {ErrorCode::kContainerHeader, 0};
    return EIO;
  }
  const KeyName& name = *inode.head.key;
  auto key = keys.Get(name);
  if (!key) return keys.Revoked(name) ? EKEYREVOKED : ENOKEY;
  if (inode.file && (!write || inode.file->Writable())) {
    *file = inode.file;
    return 0;
  }
  UniqueFd fd = ReopenQuietly(inode.path_fd.Get(), O_RDWR);
  const bool writable = static_cast<bool>(fd);
  if (!fd && write) return errno;
  if (!fd) fd = ReopenQuietly(inode.path_fd.Get(), O_RDONLY);
  if (!fd) return errno;
  if (inode.file) {
    inode.file->MakeWritable(std::move(fd));
  } else {
    auto opened = SealedFile::Open(std::move(fd), writable, std::move(*key), &redo);
    if (!opened) {
      *fault = {opened.Code(), 0};
      return opened.GetError().ToErrno();
    }
    inode.file = std::move(*opened);
  }
  *file = inode.file;
  if (inode.verified_version == inode.sealed_version) return 0;
  if (inode.file->PlainSize() > kVerifyAtOpenBytes) {
    if (inode.file->NeedsVerify()) verifier.Add(inodes.Find(inode.key), inode.file);
    return 0;
  }
  if (const int error = inode.file->Verify(fault)) return error;
  inode.verified_version = inode.sealed_version;
  return 0;
}

void FileSystem::DropIfUnusedLocked(Inode& inode) {
  if (!inode.file || inode.plain_handles != 0 || inode.ingest || inode.queued_for_sealing) return;
  inode.file.reset();
}

void FileSystem::Touched(Inode& inode, Node* through) {
  if (through == nullptr || through->view != View::kPlain) inode.plain_version.fetch_add(1);
  ContainerChanged(inode);
  // A node keeps step with the changes made through itself.
  if (through != nullptr && through->view == View::kSealed)
    through->version = inode.sealed_version.load();
}

void FileSystem::ContainerChanged(Inode& inode) {
  inode.sealed_version.fetch_add(1);
  inodes.ForNodes(&inode, [&](Node& node) {
    // Path walks get a new node; this is for those who hold the old one open.
    if (node.view == View::kSealed && node.handles != 0) {
      notifier.InvalidatePages(reinterpret_cast<std::uint64_t>(&node));
    }
  });
}

void FileSystem::AttributesChanged(Inode& inode, const Node* through) {
  inodes.ForNodes(&inode, [&](Node& node) {
    if (&node != through) notifier.InvalidateAttributes(reinterpret_cast<std::uint64_t>(&node));
  });
}

void FileSystem::ReportFault(Inode& inode, const Fault& fault) {
  static std::mutex mutex;
  static std::map<std::pair<std::uint64_t, ErrorCode>, std::chrono::steady_clock::time_point> last;
  {
    const std::lock_guard lock(mutex);
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(last,
                  [&](const auto& entry) { return now - entry.second > std::chrono::seconds(1); });
    if (last.size() > 256 || !last.emplace(std::pair{inode.key.ino, fault.code}, now).second)
      return;
  }
  EventFacts facts;
  facts.op = "integrity";
  facts.has_file = true;
  facts.file.path = backing.RelativePath(inode.path_fd.Get());
  facts.file.key = inode.head.key;
  if (inode.head.key != nullptr) facts.file.id = inode.head.file_id;
  facts.outcome = Outcome::kError;
  facts.error = EIO;
  facts.details = {{"code", std::string(Name(fault.code))}, {"chunk", fault.chunk}};
  events.Write(facts);
}

}  // namespace sealway::sealfs
