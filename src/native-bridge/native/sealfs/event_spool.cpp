// Events that wait on disk. Layer: sealfs.
#include "sealfs/event_spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include <nlohmann/json.hpp>

#include "common/io.h"

namespace sealway::sealfs {
namespace {

// Kept free for the `dropped` event itself.
constexpr std::uint64_t kDroppedReserve = 4096;
// Below this many acknowledged bytes the file is not worth rewriting.
constexpr std::uint64_t kRewriteBytes = std::uint64_t{8} * 1024 * 1024;

std::string HeaderLine(std::uint64_t next) {
  return nlohmann::json{{"spool", 1}, {"next", next}}.dump() + '\n';
}

std::span<const std::uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// The spool's first line, or 1 for an unreadable one: an empty or foreign file starts afresh.
std::uint64_t ParseHeader(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || json.value("spool", 0) != 1) return 1;
  return json.value("next", std::uint64_t{1});
}

nlohmann::json DroppedEvent(std::uint64_t count) {
  struct timespec now {};
  clock_gettime(CLOCK_REALTIME, &now);
  struct timespec mono {};
  clock_gettime(CLOCK_MONOTONIC, &mono);
  return {{"type", "event"},
          {"timeMs", std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000},
          {"monotonicNs", std::to_string(std::int64_t{mono.tv_sec} * 1'000'000'000 + mono.tv_nsec)},
          {"op", "dropped"},
          {"uid", 0},
          {"pid", 0},
          {"executable", ""},
          {"session", nullptr},
          {"application", nullptr},
          {"file", nullptr},
          {"outcome", "error"},
          {"errno", nullptr},
          {"view", nullptr},
          {"ruleIds", nlohmann::json::array()},
          {"tableVersion", nullptr},
          {"details", {{"count", count}}}};
}

}  // namespace

Status EventSpool::Open(const std::string& path, std::uint64_t limit_bytes) {
  const std::lock_guard lock(mutex_);
  path_ = path;
  limit_bytes_ = limit_bytes;
  fd_.Reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd_) return FailErrno(errno, "cannot open the event spool");
  return Load();
}

Status EventSpool::Load() {
  struct stat status {};
  if (::fstat(fd_.Get(), &status) != 0) return FailErrno(errno, "cannot stat the event spool");
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  auto got = PreadUpTo(fd_.Get(), {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}, 0);
  if (!got) return got.GetError();
  text.resize(*got);
  const auto header_end = text.find('\n');
  offsets_.clear();
  file_first_ = header_end == std::string::npos ? 1 : ParseHeader({text.data(), header_end});
  first_ = file_first_;
  if (header_end == std::string::npos) return Rewrite();
  std::size_t at = header_end + 1;
  for (auto end = text.find('\n', at); end != std::string::npos; end = text.find('\n', at)) {
    offsets_.push_back(at);
    at = end + 1;
  }
  size_bytes_ = at;
  // What follows the last newline was cut in the middle.
  if (::ftruncate(fd_.Get(), static_cast<off_t>(at)) != 0) {
    return FailErrno(errno, "cannot shorten the event spool");
  }
  return OkStatus();
}

std::uint64_t EventSpool::Append(nlohmann::json& event) {
  std::uint64_t sequence = 0;
  {
    const std::lock_guard lock(mutex_);
    if (dropped_pending_ != 0) AppendDroppedLocked();
    sequence = AppendLocked(event);
    if (sequence == 0) {
      ++dropped_pending_;
      ++dropped_total_;
    }
  }
  if (notify_) notify_();
  return sequence;
}

std::uint64_t EventSpool::AppendLocked(nlohmann::json& event) {
  const std::uint64_t sequence = file_first_ + offsets_.size();
  event["sequence"] = sequence;
  const auto line = event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
  const std::uint64_t limit =
      event["op"] == "dropped" ? limit_bytes_ : limit_bytes_ - kDroppedReserve;
  if (size_bytes_ + line.size() > limit) return 0;
  if (!PwriteAll(fd_.Get(), Bytes(line), size_bytes_)) {
    // A part of the line may be there: it lies after size_bytes_ and is written over by the next.
    return 0;
  }
  offsets_.push_back(size_bytes_);
  size_bytes_ += line.size();
  return sequence;
}

void EventSpool::AppendDroppedLocked() {
  auto event = DroppedEvent(dropped_pending_);
  const bool room = size_bytes_ + 2 * kDroppedReserve < limit_bytes_;
  if (room && AppendLocked(event) != 0) dropped_pending_ = 0;
}

void EventSpool::Acknowledge(std::uint64_t sequence) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t next = file_first_ + offsets_.size();
  if (sequence < first_) return;
  if (sequence >= next) {
    // The agent knows more than this file: a power cut took the newest lines. Go on after what it
    // has, or it would take new events for repeated ones.
    offsets_.clear();
    file_first_ = first_ = sequence + 1;
    (void)Rewrite();
    return;
  }
  first_ = sequence + 1;
  const std::uint64_t acknowledged_bytes =
      first_ == next ? size_bytes_ : offsets_[first_ - file_first_];
  const bool all = first_ == next && size_bytes_ >= kRewriteBytes / 64;
  const bool tight = size_bytes_ * 2 > limit_bytes_ && acknowledged_bytes * 4 > size_bytes_;
  if (all || tight || acknowledged_bytes >= kRewriteBytes) {
    // A failed rewrite leaves the old file, which is only longer than it need be.
    (void)Rewrite();
  }
}

Status EventSpool::Rewrite() {
  const std::uint64_t next = file_first_ + offsets_.size();
  const std::uint64_t from = first_ == next ? size_bytes_ : offsets_[first_ - file_first_];
  std::string tail(static_cast<std::size_t>(size_bytes_ - from), '\0');
  auto got =
      PreadUpTo(fd_.Get(), {reinterpret_cast<std::uint8_t*>(tail.data()), tail.size()}, from);
  if (!got) return got.GetError();
  const auto header = HeaderLine(first_);
  const auto beside = path_ + ".new";
  UniqueFd fd(::open(beside.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return FailErrno(errno, "cannot make a new event spool");
  if (auto done = PwriteAll(fd.Get(), Bytes(header + tail), 0); !done) return done;
  if (::fdatasync(fd.Get()) != 0) return FailErrno(errno, "cannot sync the event spool");
  if (::rename(beside.c_str(), path_.c_str()) != 0) {
    return FailErrno(errno, "cannot replace the event spool");
  }
  std::vector<std::uint64_t> offsets;
  for (std::uint64_t s = first_; s < next; ++s) {
    offsets.push_back(offsets_[s - file_first_] - from + header.size());
  }
  fd_ = std::move(fd);
  offsets_ = std::move(offsets);
  file_first_ = first_;
  size_bytes_ = header.size() + tail.size();
  return OkStatus();
}

std::string EventSpool::ReadAfter(std::uint64_t after, std::size_t max_bytes, std::uint64_t* last) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t next = file_first_ + offsets_.size();
  const std::uint64_t from = std::max(after + 1, first_);
  if (from >= next) return {};
  const std::uint64_t begin = offsets_[from - file_first_];
  std::uint64_t stop = from + 1;
  const auto end_of = [&](std::uint64_t s) {
    return s == next ? size_bytes_ : offsets_[s - file_first_];
  };
  while (stop < next && end_of(stop + 1) - begin <= max_bytes) ++stop;
  std::string text(static_cast<std::size_t>(end_of(stop) - begin), '\0');
  auto got =
      PreadUpTo(fd_.Get(), {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}, begin);
  if (!got || *got != text.size()) return {};
  *last = stop - 1;
  return text;
}

EventSpool::Counts EventSpool::Count() {
  const std::lock_guard lock(mutex_);
  return {first_, file_first_ + offsets_.size() - 1, dropped_total_};
}

}  // namespace sealway::sealfs
