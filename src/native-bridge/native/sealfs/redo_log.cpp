// Finishing interrupted overwrites. Layer: sealfs.
#include "sealfs/redo_log.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/io.h"

namespace sealway::sealfs {
namespace {

constexpr std::array<char, 8> kMagic = {'S', 'L', 'W', 'R', 'E', 'D', 'O', '1'};
constexpr std::size_t kBootIdBytes = 36;

std::array<char, 40> BootId() {
  std::array<char, 40> id{};
  const UniqueFd fd(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  if (fd) {
    (void)ReadUpTo(fd.Get(), {reinterpret_cast<std::uint8_t*>(id.data()), kBootIdBytes});
  }
  return id;
}

}  // namespace

// Both structures live in the mapped file. Lock-free atomics keep their meaning across processes.
struct RedoLog::Slot {
  std::atomic<std::uint32_t> valid;
  std::uint32_t length;
  std::uint64_t dev;
  std::uint64_t ino;
  FileId file_id;
  std::uint64_t disk_offset;
  std::int64_t final_size;
  std::array<std::uint8_t, kPayloadBytes> bytes;
};

struct RedoLog::DirtyEntry {
  std::atomic<std::uint64_t> ino;  // 0: free
  std::uint64_t dev;
  FileId file_id;
};

struct RedoLog::Layout {
  std::array<char, 8> magic;
  std::array<char, 40> boot_id;
  std::array<DirtyEntry, kDirtyEntries> dirty;
  std::array<Slot, kSlots> slots;
};

RedoLog::~RedoLog() {
  if (map_ != nullptr) ::munmap(map_, sizeof(Layout));
}

Status RedoLog::Open(const std::string& path) {
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
  fd_.Reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd_) return FailErrno(errno, "cannot open the redo log");
  if (::ftruncate(fd_.Get(), sizeof(Layout)) != 0)
    return FailErrno(errno, "cannot size the redo log");
  void* map = ::mmap(nullptr, sizeof(Layout), PROT_READ | PROT_WRITE, MAP_SHARED, fd_.Get(), 0);
  if (map == MAP_FAILED) return FailErrno(errno, "cannot map the redo log");
  map_ = static_cast<Layout*>(map);
  const bool known = map_->magic == kMagic;
  if (!known) {
    for (auto& entry : map_->dirty) entry.ino.store(0);
  }
  if (!known || map_->boot_id != BootId()) ClearRecords();
  map_->magic = kMagic;
  map_->boot_id = BootId();
  for (std::size_t i = 0; i < kSlots; ++i) free_.push_back(i);
  for (std::size_t i = 0; i < kDirtyEntries; ++i) {
    const std::uint64_t ino = map_->dirty[i].ino.load();
    if (ino == 0) {
      free_dirty_.push_back(i);
    } else {
      dirty_.emplace_back(ino, i);
    }
  }
  std::sort(dirty_.begin(), dirty_.end());
  return OkStatus();
}

std::vector<RedoRecord> RedoLog::Records() const {
  std::vector<RedoRecord> records;
  for (const auto& slot : map_->slots) {
    if (slot.valid.load(std::memory_order_acquire) != 1 || slot.length > kPayloadBytes) continue;
    RedoRecord record;
    record.target = {slot.dev, slot.ino, slot.file_id};
    record.disk_offset = slot.disk_offset;
    record.bytes.assign(slot.bytes.begin(), slot.bytes.begin() + slot.length);
    record.final_size = slot.final_size;
    records.push_back(std::move(record));
  }
  return records;
}

void RedoLog::ClearRecords() {
  for (auto& slot : map_->slots) slot.valid.store(0, std::memory_order_release);
}

std::vector<RedoTarget> RedoLog::Dirty() const {
  std::vector<RedoTarget> targets;
  const std::lock_guard lock(mutex_);
  for (const auto& [ino, index] : dirty_) {
    targets.push_back({map_->dirty[index].dev, ino, map_->dirty[index].file_id});
  }
  return targets;
}

RedoLog::Ticket RedoLog::Begin(const RedoTarget& target, std::uint64_t disk_offset,
                               std::span<const std::uint8_t> bytes, std::int64_t final_size) {
  std::size_t index = 0;
  {
    std::unique_lock lock(mutex_);
    freed_.wait(lock, [this] { return !free_.empty(); });
    index = free_.back();
    free_.pop_back();
  }
  auto& slot = map_->slots[index];
  slot.length = static_cast<std::uint32_t>(bytes.size());
  slot.dev = target.dev;
  slot.ino = target.ino;
  slot.file_id = target.file_id;
  slot.disk_offset = disk_offset;
  slot.final_size = final_size;
  if (!bytes.empty()) std::memcpy(slot.bytes.data(), bytes.data(), bytes.size());
  slot.valid.store(1, std::memory_order_release);
  return {this, index};
}

void RedoLog::Release(std::size_t slot) {
  map_->slots[slot].valid.store(0, std::memory_order_release);
  const std::lock_guard lock(mutex_);
  free_.push_back(slot);
  freed_.notify_one();
}

RedoLog::Ticket::Ticket(Ticket&& other) noexcept
    : log_(std::exchange(other.log_, nullptr)), slot_(other.slot_) {}

RedoLog::Ticket& RedoLog::Ticket::operator=(Ticket&& other) noexcept {
  std::swap(log_, other.log_);
  std::swap(slot_, other.slot_);
  return *this;
}

RedoLog::Ticket::~Ticket() {
  if (log_ != nullptr) log_->Release(slot_);
}

void RedoLog::MarkDirty(const RedoTarget& target) {
  const std::lock_guard lock(mutex_);
  const auto at =
      std::lower_bound(dirty_.begin(), dirty_.end(), std::pair{target.ino, std::size_t{0}});
  if ((at != dirty_.end() && at->first == target.ino) || free_dirty_.empty()) return;
  const std::size_t index = free_dirty_.back();
  free_dirty_.pop_back();
  map_->dirty[index].dev = target.dev;
  map_->dirty[index].file_id = target.file_id;
  map_->dirty[index].ino.store(target.ino, std::memory_order_release);
  dirty_.insert(at, {target.ino, index});
}

void RedoLog::ClearDirty(const RedoTarget& target) {
  const std::lock_guard lock(mutex_);
  const auto at =
      std::lower_bound(dirty_.begin(), dirty_.end(), std::pair{target.ino, std::size_t{0}});
  if (at == dirty_.end() || at->first != target.ino) return;
  map_->dirty[at->second].ino.store(0, std::memory_order_release);
  free_dirty_.push_back(at->second);
  dirty_.erase(at);
}

}  // namespace sealway::sealfs
