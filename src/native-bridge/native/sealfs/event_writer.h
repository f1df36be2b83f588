// Makes events of what happened and puts them into the spool.
//
// Layer: sealfs. Threads: any. Spec: docs/spec/sealfs-control-v1.md, "sealfs → agent".
// An event that cannot be written never changes an answer that was given; it is counted (spool).
#ifndef SEALWAY_SEALFS_EVENT_WRITER_H_
#define SEALWAY_SEALFS_EVENT_WRITER_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "sealfs/caller.h"
#include "sealfs/event_spool.h"
#include "sealfs/key_ring.h"
#include "sealfs/sealed_file.h"

namespace sealway::sealfs {

// The file as a record names it.
struct FileFacts {
  std::optional<FileId> id;
  std::string path;
  const KeyName* key = nullptr;
  std::optional<std::uint64_t> plain_size;
};

// One field of an event's `details`. Not JSON itself: that header would be compiled everywhere.
struct Detail {
  enum class Kind : std::uint8_t { kNull, kBool, kNumber, kText };
  Detail(const char* field, std::nullptr_t) : name(field) {}
  Detail(const char* field, bool value) : name(field), kind(Kind::kBool), number(value ? 1 : 0) {}
  Detail(const char* field, std::uint64_t value)
      : name(field), kind(Kind::kNumber), number(value) {}
  Detail(const char* field, std::string value)
      : name(field), kind(Kind::kText), text(std::move(value)) {}
  const char* name;
  Kind kind = Kind::kNull;
  std::uint64_t number = 0;
  std::string text;
};

enum class Outcome : std::uint8_t { kOk, kRefused, kError };

struct EventFacts {
  const char* op = "";
  Caller caller;
  std::string executable;
  bool has_file = false;
  FileFacts file;
  Outcome outcome = Outcome::kOk;
  int error = 0;
  const char* view = nullptr;  // "plain", "sealed", "raw" or none
  std::vector<std::string> rule_ids;
  std::optional<std::string> table_version;
  std::vector<Detail> details;

  void SetFile(FileFacts facts) {
    has_file = true;
    file = std::move(facts);
  }
};

class EventWriter {
 public:
  EventWriter();
  ~EventWriter();
  void Start(EventSpool* spool) { spool_ = spool; }

  // The sequence given to the event; 0 when it was dropped.
  std::uint64_t Write(const EventFacts& facts);

  // A sealed-view open: repeated ones of one file by one executable and user within a second become
  // one event with details.count.
  void WriteSealedOpen(const EventFacts& facts, std::uint64_t ino);
  // Writes what has been collected for a second or longer; with `all`, everything.
  void FlushRepeated(bool all);

 private:
  using RepeatKey = std::tuple<std::uint64_t, uid_t, std::string, int>;
  struct Repeated {
    std::chrono::steady_clock::time_point since;
    EventFacts facts;
    std::uint64_t count = 0;
  };
  EventSpool* spool_ = nullptr;
  std::mutex mutex_;
  std::map<RepeatKey, Repeated> repeated_;
};

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_EVENT_WRITER_H_
