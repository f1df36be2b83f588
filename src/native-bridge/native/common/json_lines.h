// Newline-delimited JSON over a stream socket: bounded in both directions, strict about fields.
//
// Layer: native common. Knows JSON text and descriptors; knows no protocol.
// Threads: an object belongs to one thread at a time.
// Spec: docs/spec/sealfs-control-v1.md and docs/spec/sessiond-v1.md, "Newline-delimited JSON".
// Attack: a peer that sends no newline, or gigabytes, or reads nothing. A line that is too long
//   is refused before it is complete, and what waits for a slow reader is bounded too. After any
//   fault the border between messages is a guess, so the owner must close the connection.
#ifndef SEALWAY_COMMON_JSON_LINES_H_
#define SEALWAY_COMMON_JSON_LINES_H_

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace sealway {

// Cuts a stream of bytes at newlines.
class LineReader {
 public:
  enum class State : std::uint8_t { kLine, kNeedMore, kTooLong };

  explicit LineReader(std::size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

  void Append(std::string_view bytes);

  // Moves the next whole line, without its newline, into `line`. kTooLong is final.
  [[nodiscard]] State Next(std::string* line);

  // Bytes of an unfinished line. More than 0 at the end of the stream means a cut message.
  [[nodiscard]] std::size_t PendingBytes() const noexcept { return buffer_.size() - start_; }

 private:
  std::size_t max_line_bytes_;
  std::string buffer_;
  std::size_t start_ = 0;    // of the line not yet returned
  std::size_t scanned_ = 0;  // no newline before this place
};

// Messages waiting for a non-blocking descriptor to take them.
class LineWriter {
 public:
  enum class State : std::uint8_t { kDone, kBlocked, kClosed };

  explicit LineWriter(std::size_t max_queued_bytes) : max_queued_bytes_(max_queued_bytes) {}

  // Queues one message and its newline. False when the bound would be passed: nothing is queued,
  // and the peer, which does not read, has to be given up. Bytes that are no UTF-8 are replaced.
  [[nodiscard]] bool Push(const nlohmann::json& message);

  // Writes what the descriptor takes now (a socket; SIGPIPE is never raised). kBlocked: poll for
  // POLLOUT and call again. kClosed: the peer is gone.
  [[nodiscard]] State Flush(int fd);

  [[nodiscard]] bool Empty() const noexcept { return queued_.size() == start_; }

 private:
  std::size_t max_queued_bytes_;
  std::string queued_;
  std::size_t start_ = 0;
};

// Parses one line. kInvalid when it is not exactly one JSON object, or nested deeper than
// `max_depth`; the detail never repeats what the line held.
[[nodiscard]] Result<nlohmann::json> ParseJsonObject(std::string_view line, int max_depth = 16);

// Reads the fields of one object and remembers the first thing that was wrong. Each getter marks
// its key as known; Finish() then fails on the keys that nobody asked for. After a fault getters
// return empty values, so a whole message can be read without a check per field.
class ObjectReader {
 public:
  // `where` starts the error's text: "start" gives "start.cwd: must be a string". `object` is
  // borrowed and must outlive this reader; anything but an object is a fault.
  ObjectReader(const nlohmann::json& object, std::string where);

  [[nodiscard]] std::string String(const char* key, std::size_t max_bytes);
  [[nodiscard]] std::optional<std::string> NullableString(const char* key, std::size_t max_bytes);
  [[nodiscard]] std::int64_t Integer(const char* key, std::int64_t min, std::int64_t max);
  [[nodiscard]] bool Bool(const char* key);
  [[nodiscard]] std::vector<std::string> Strings(const char* key, std::size_t max_items,
                                                 std::size_t max_bytes);
  // An object whose values are all strings, in key order.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> StringMap(const char* key,
                                                                           std::size_t max_items,
                                                                           std::size_t max_bytes);
  // The raw value, for arrays and objects that the caller reads itself. Null when missing.
  [[nodiscard]] const nlohmann::json& Any(const char* key);

  // True when the key is there; it is not marked as known.
  [[nodiscard]] bool Has(const char* key) const;

  // Records a fault found by the caller, unless there is one already.
  void Fault(const std::string& key, std::string_view what);
  [[nodiscard]] bool Ok() const noexcept { return fault_.empty(); }

  // kInvalid with the first fault, unknown keys included.
  [[nodiscard]] Status Finish();

 private:
  const nlohmann::json* Find(const char* key);

  const nlohmann::json& object_;
  std::string where_;
  std::set<std::string> known_;
  std::string fault_;
};

}  // namespace sealway

#endif  // SEALWAY_COMMON_JSON_LINES_H_
