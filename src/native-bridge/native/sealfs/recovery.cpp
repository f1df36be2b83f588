// Recovery after a kill, and sealing what is unsealed. Layer: sealfs.
#include "sealfs/recovery.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <unordered_map>

#include "common/io.h"
#include "container/whole_file.h"
#include "sealfs/control_actions.h"
#include "sealfs/ops.h"
#include "sealfs/tree_walk.h"

namespace sealway::sealfs {
namespace {

// 0: applied, or of no file that exists any more.
void Apply(int fd, const RedoRecord& record) {
  auto head = ReadHead(fd);
  // Another file has got this inode number meanwhile.
  if (!head || head->fields.file_id != record.target.file_id) return;
  if (!record.bytes.empty()) (void)PwriteAll(fd, record.bytes, record.disk_offset);
  if (record.final_size >= 0) (void)!::ftruncate(fd, record.final_size);
  (void)::fdatasync(fd);
}

void RecordRecovered(FileSystem& fs, std::size_t count) {
  EventFacts facts;
  facts.op = "recovered";
  facts.details = {{"count", std::uint64_t{count}}};
  fs.events.Write(facts);
}

bool SealOne(FileSystem& fs, InodeTable::Pin inode) {
  Fault fault;
  {
    const std::lock_guard lock(inode->mutex);
    const bool in_use = inode->queued_for_sealing || inode->plain_handles != 0 || inode->ingest;
    if (inode->kind != Kind::kSealed || in_use) return false;
    std::shared_ptr<SealedFile> file;
    if (fs.AcquireLocked(*inode.Get(), true, &file, &fault) != 0) return false;
    if (!file->IsOpenState()) {
      fs.redo.ClearDirty(file->Target());
      fs.DropIfUnusedLocked(*inode.Get());
      return false;
    }
    inode->queued_for_sealing = true;
  }
  fs.seals.Add(std::move(inode));
  return true;
}

}  // namespace

std::size_t Replay(FileSystem& fs) {
  const auto records = fs.redo.Records();
  if (records.empty()) return 0;
  std::size_t left = records.size();
  WalkTree(fs.backing.RootFd(), [&](const WalkEntry& entry) {
    for (const auto& record : records) {
      if (record.target.ino != entry.status.st_ino) continue;
      const UniqueFd fd(
          ::openat(entry.folder_fd, entry.name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
      if (fd) Apply(fd.Get(), record);
      --left;
    }
    return left != 0;
  });
  fs.redo.ClearRecords();
  RecordRecovered(fs, records.size());
  return records.size();
}

void SealLeftOpen(FileSystem& fs) {
  std::unordered_map<std::uint64_t, RedoTarget> wanted;
  for (const auto& target : fs.redo.Dirty()) wanted.emplace(target.ino, target);
  std::size_t sealed = 0;
  std::unordered_map<std::uint64_t, RedoTarget> missing = wanted;
  WalkTree(fs.backing.RootFd(), [&](const WalkEntry& entry) {
    if (missing.erase(entry.status.st_ino) == 0) return !missing.empty();
    UniqueFd path(::openat(entry.folder_fd, entry.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!path) return true;
    auto inode = fs.inodes.FindOrMake({entry.status.st_dev, entry.status.st_ino}, std::move(path),
                                      entry.status.st_mode);
    fs.Classify(*inode.Get());
    if (SealOne(fs, std::move(inode))) ++sealed;
    return !missing.empty();
  });
  // Unlinked while open, and gone with the process that held them.
  for (const auto& [ino, target] : missing) {
    if (!fs.inodes.Find({target.dev, ino})) fs.redo.ClearDirty(target);
  }
  if (sealed != 0) RecordRecovered(fs, sealed);
}

nlohmann::json SealPendingFiles(FileSystem& fs) {
  std::size_t sealed = 0;
  auto skipped = nlohmann::json::array();
  WalkTree(fs.backing.RootFd(), [&](const WalkEntry& entry) {
    if (!S_ISREG(entry.status.st_mode)) return true;
    if (IsReservedName(entry.name)) {
      // Left by a crash in the middle of sealing; the original is still under its own name.
      (void)::unlinkat(entry.folder_fd, entry.name.c_str(), 0);
      return true;
    }
    if (fs.IsExcluded(entry.name)) return true;
    UniqueFd path(::openat(entry.folder_fd, entry.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!path) return true;
    auto inode = fs.inodes.FindOrMake({entry.status.st_dev, entry.status.st_ino}, std::move(path),
                                      entry.status.st_mode);
    fs.Classify(*inode.Get());
    if (inode->kind != Kind::kUnsealed) return true;
    const int error = SealInPlace(fs, *inode.Get());
    if (error == 0) {
      ++sealed;
    } else {
      const char* name = strerrorname_np(error);
      skipped.push_back({{"path", entry.path}, {"why", name == nullptr ? "?" : name}});
    }
    return true;
  });
  return {{"sealed", sealed}, {"skipped", std::move(skipped)}};
}

}  // namespace sealway::sealfs
