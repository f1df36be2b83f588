// Making events. Layer: sealfs.
#include "sealfs/event_writer.h"

#include <cstring>
#include <ctime>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/bytes.h"

namespace sealway::sealfs {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kRepeatWindow{1};
// More different opens than this within a second are written one by one.
constexpr std::size_t kMaxRepeated = 4096;

json TextOrNull(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

json FileJson(const FileFacts& file) {
  return {{"id", file.id ? json(ToHex(*file.id)) : json(nullptr)},
          {"path", file.path},
          {"label", file.key != nullptr ? json(file.key->label) : json(nullptr)},
          {"area", file.key != nullptr ? json(file.key->area) : json(nullptr)},
          {"plainSize", file.plain_size ? json(*file.plain_size) : json(nullptr)}};
}

const char* OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk:
      return "ok";
    case Outcome::kRefused:
      return "refused";
    case Outcome::kError:
      return "error";
  }
  return "error";
}

json ErrnoJson(int error) {
  const char* name = error == 0 ? nullptr : strerrorname_np(error);
  return name == nullptr ? json(nullptr) : json(name);
}

std::int64_t Nanoseconds(clockid_t clock) {
  struct timespec now {};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

json DetailsJson(const std::vector<Detail>& details) {
  json object = json::object();
  for (const auto& detail : details) {
    auto& field = object[detail.name];
    switch (detail.kind) {
      case Detail::Kind::kNull:
        field = nullptr;
        break;
      case Detail::Kind::kBool:
        field = detail.number != 0;
        break;
      case Detail::Kind::kNumber:
        field = detail.number;
        break;
      case Detail::Kind::kText:
        field = detail.text;
        break;
    }
  }
  return object;
}

json EventJson(const EventFacts& facts) {
  const auto& session = facts.caller.session;
  return {{"type", "event"},
          {"timeMs", Nanoseconds(CLOCK_REALTIME) / 1'000'000},
          {"monotonicNs", std::to_string(Nanoseconds(CLOCK_MONOTONIC))},
          {"op", facts.op},
          {"uid", facts.caller.uid},
          {"pid", facts.caller.pid},
          {"executable", facts.executable},
          {"session", session ? TextOrNull(session->id) : json(nullptr)},
          {"application", session ? TextOrNull(session->application) : json(nullptr)},
          {"file", facts.has_file ? FileJson(facts.file) : json(nullptr)},
          {"outcome", OutcomeName(facts.outcome)},
          {"errno", ErrnoJson(facts.error)},
          {"view", facts.view != nullptr ? json(facts.view) : json(nullptr)},
          {"ruleIds", facts.rule_ids},
          {"tableVersion", facts.table_version ? json(*facts.table_version) : json(nullptr)},
          {"details", DetailsJson(facts.details)}};
}

}  // namespace

EventWriter::EventWriter() = default;
EventWriter::~EventWriter() = default;

std::uint64_t EventWriter::Write(const EventFacts& facts) {
  auto event = EventJson(facts);
  return spool_->Append(event);
}

void EventWriter::WriteSealedOpen(const EventFacts& facts, std::uint64_t ino) {
  {
    const std::lock_guard lock(mutex_);
    const RepeatKey key{ino, facts.caller.uid, facts.executable, facts.error};
    const auto found = repeated_.find(key);
    if (found != repeated_.end()) {
      ++found->second.count;
      return;
    }
    // The first is written at once; those that follow within the window are counted.
    if (repeated_.size() < kMaxRepeated) {
      repeated_.emplace(key, Repeated{std::chrono::steady_clock::now(), facts, 0});
    }
  }
  Write(facts);
}

void EventWriter::FlushRepeated(bool all) {
  std::vector<EventFacts> ready;
  {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    for (auto it = repeated_.begin(); it != repeated_.end();) {
      if (!all && now - it->second.since < kRepeatWindow) {
        ++it;
        continue;
      }
      if (it->second.count != 0) {
        it->second.facts.details.emplace_back("count", it->second.count);
        ready.push_back(std::move(it->second.facts));
      }
      it = repeated_.erase(it);
    }
  }
  for (const auto& facts : ready) Write(facts);
}

}  // namespace sealway::sealfs
