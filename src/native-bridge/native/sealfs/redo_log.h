// A log that lets an interrupted overwrite be finished after this process was killed.
//
// Layer: sealfs. Knows no FUSE and no keys: it holds ciphertext only. Threads: any.
// Why: SIGKILL can end a pwrite(2) between two pages, which would tear a frame that holds bytes the
//   user was promised. The log is a shared mapping: it survives the process, and need not survive
//   the machine (a power cut is answered by the container's `open` state), so it is never synced.
// Order of writes: record, then `valid` (release), then the file, then `valid` cleared. A cut
// before
//   `valid` leaves the file untouched; after it, Replay writes the record again, which is
//   idempotent.
// The boot id in the header makes slots of an earlier boot void: their pages may be of any age.
// The second part lists files whose head says `open`, so that they can be sealed again.
#ifndef SEALWAY_SEALFS_REDO_LOG_H_
#define SEALWAY_SEALFS_REDO_LOG_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "common/result.h"
#include "common/unique_fd.h"
#include "container/head.h"

namespace sealway::sealfs {

// A file of the backing store, and which container it was when the record was made.
struct RedoTarget {
  std::uint64_t dev = 0;
  std::uint64_t ino = 0;
  FileId file_id{};
};

struct RedoRecord {
  RedoTarget target;
  std::uint64_t disk_offset = 0;
  std::vector<std::uint8_t> bytes;  // empty: only the size is restored
  std::int64_t final_size = -1;     // -1: unchanged
};

class RedoLog {
 public:
  static constexpr std::size_t kSlots = 16;
  static constexpr std::size_t kPayloadBytes = (std::size_t{1} << 20) + (std::size_t{128} << 10);
  static constexpr std::size_t kDirtyEntries = 8192;

  RedoLog() = default;
  RedoLog(const RedoLog&) = delete;
  RedoLog& operator=(const RedoLog&) = delete;
  ~RedoLog();

  // Opens or makes the file. What an earlier process of this boot left is kept for Records.
  [[nodiscard]] Status Open(const std::string& path);

  // Records left valid by a killed process. Does not clear them: call ClearRecords when each has
  // been applied, so that a second kill in between loses nothing.
  [[nodiscard]] std::vector<RedoRecord> Records() const;
  void ClearRecords();
  // Inodes that were open when the last process ended, of this boot or an earlier one.
  [[nodiscard]] std::vector<RedoTarget> Dirty() const;

  // One interruptible change. Cleared when it goes out of scope..
  class Ticket {
   public:
    Ticket() = default;
    Ticket(RedoLog* log, std::size_t slot) : log_(log), slot_(slot) {}
    Ticket(Ticket&& other) noexcept;
    Ticket& operator=(Ticket&& other) noexcept;
    ~Ticket();

   private:
    RedoLog* log_ = nullptr;
    std::size_t slot_ = 0;
  };
  // Waits when all slots are taken. `bytes` may not exceed kPayloadBytes (a caller bug).
  [[nodiscard]] Ticket Begin(const RedoTarget& target, std::uint64_t disk_offset,
                             std::span<const std::uint8_t> bytes, std::int64_t final_size);

  // Adds to or removes from the list of files in state `open`. A full list is no error: such a file
  // is found `open` at its next use.
  void MarkDirty(const RedoTarget& target);
  void ClearDirty(const RedoTarget& target);

 private:
  struct Slot;
  struct DirtyEntry;
  struct Layout;
  void Release(std::size_t slot);

  UniqueFd fd_;
  Layout* map_ = nullptr;
  mutable std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::size_t> free_;
  std::vector<std::size_t> free_dirty_;
  std::vector<std::pair<std::uint64_t, std::size_t>> dirty_;  // sorted by inode: index
};

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_REDO_LOG_H_
