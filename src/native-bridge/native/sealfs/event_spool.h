// Events that wait on disk until the agent has them.
//
// Layer: sealfs. Knows no FUSE and no sockets. Threads: any; one mutex, held for one write(2).
// Spec: docs/spec/sealfs-control-v1.md, "Events are written to the spool file before they are
// sent".
//
// File: a first line {"spool":1,"next":N}, then one event a line, sequences rising by one from N.
// Order of writes: an event is in the file (page cache) before Append returns, so kill -9 loses
// none;
//   a power cut may lose the newest ones. A last line without its newline was cut and is dropped.
//   Shortening the file writes a new one beside it and renames: a crash leaves the old or the new.
#ifndef SEALWAY_SEALFS_EVENT_SPOOL_H_
#define SEALWAY_SEALFS_EVENT_SPOOL_H_

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/result.h"
#include "common/unique_fd.h"

namespace sealway::sealfs {

class EventSpool {
 public:
  static constexpr std::uint64_t kDefaultLimitBytes = std::uint64_t{64} * 1024 * 1024;

  EventSpool() = default;
  // Opens or makes the file and takes up the sequence where the last process left it. kIo.
  [[nodiscard]] Status Open(const std::string& path,
                            std::uint64_t limit_bytes = kDefaultLimitBytes);

  // Called after each event, outside the lock, from the thread that appended.
  void OnAppend(std::function<void()> notify) { notify_ = std::move(notify); }

  // Gives `event` the next sequence and writes it. When the spool is full the event is counted
  // instead, and a `dropped` event tells how many as soon as there is room. Returns the sequence;
  // 0 when it was dropped.
  std::uint64_t Append(nlohmann::json& event);

  // Events up to `sequence` are durable elsewhere.
  void Acknowledge(std::uint64_t sequence);

  // Up to `max_bytes` (at least one event) of whole lines after event `after`, in order, with the
  // sequence of the last one in `*last`. Empty: nothing newer.
  [[nodiscard]] std::string ReadAfter(std::uint64_t after, std::size_t max_bytes,
                                      std::uint64_t* last);

  struct Counts {
    std::uint64_t first = 0;  // of the events waiting; first > last when none wait
    std::uint64_t last = 0;
    std::uint64_t dropped = 0;  // in the life of this process
    [[nodiscard]] std::uint64_t Waiting() const { return last + 1 - first; }
  };
  [[nodiscard]] Counts Count();

 private:
  [[nodiscard]] Status Load();
  [[nodiscard]] Status Rewrite();
  std::uint64_t AppendLocked(nlohmann::json& event);
  void AppendDroppedLocked();

  std::mutex mutex_;
  std::string path_;
  UniqueFd fd_;
  std::uint64_t limit_bytes_ = kDefaultLimitBytes;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t first_ = 1;             // sequence of the first event not acknowledged
  std::uint64_t file_first_ = 1;        // sequence of the first event in the file
  std::vector<std::uint64_t> offsets_;  // of each event in the file, from file_first_
  std::uint64_t dropped_pending_ = 0;
  std::uint64_t dropped_total_ = 0;
  std::function<void()> notify_;
};

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_EVENT_SPOOL_H_
