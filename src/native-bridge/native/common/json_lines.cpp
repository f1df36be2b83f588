// Newline-delimited JSON: see json_lines.h.
//
// Layer: native common.
#include "common/json_lines.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace sealway {
namespace {

const nlohmann::json& NullJson() {
  static const nlohmann::json kNull;
  return kNull;
}

// Depth by counting brackets outside strings: the parser recurses, so this comes before it.
bool DeeperThan(std::string_view line, int max_depth) {
  int depth = 0;
  bool in_string = false;
  bool escaped = false;
  for (const char c : line) {
    if (in_string) {
      if (escaped) {
        escaped = false;
      } else if (c == '\\') {
        escaped = true;
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > max_depth) return true;
  }
  return false;
}

// execve, mount paths and the log all end at NUL: no field of these protocols may hold one.
bool HasNul(const std::string& text) { return text.find('\0') != std::string::npos; }

}  // namespace

void LineReader::Append(std::string_view bytes) {
  if (start_ > 0 && start_ == buffer_.size()) {
    buffer_.clear();
    start_ = scanned_ = 0;
  } else if (start_ > max_line_bytes_) {
    buffer_.erase(0, start_);
    scanned_ -= start_;
    start_ = 0;
  }
  buffer_.append(bytes);
}

LineReader::State LineReader::Next(std::string* line) {
  const std::size_t end = buffer_.find('\n', scanned_);
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    return PendingBytes() > max_line_bytes_ ? State::kTooLong : State::kNeedMore;
  }
  if (end - start_ > max_line_bytes_) return State::kTooLong;
  line->assign(buffer_, start_, end - start_);
  start_ = scanned_ = end + 1;
  return State::kLine;
}

bool LineWriter::Push(const nlohmann::json& message) {
  const std::string text =
      message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (queued_.size() - start_ + text.size() > max_queued_bytes_) return false;
  queued_.append(text);
  return true;
}

LineWriter::State LineWriter::Flush(int fd) {
  while (!Empty()) {
    const ssize_t sent =
        ::send(fd, queued_.data() + start_, queued_.size() - start_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      return errno == EAGAIN || errno == EWOULDBLOCK ? State::kBlocked : State::kClosed;
    }
    start_ += static_cast<std::size_t>(sent);
  }
  queued_.clear();
  start_ = 0;
  return State::kDone;
}

Result<nlohmann::json> ParseJsonObject(std::string_view line, int max_depth) {
  if (DeeperThan(line, max_depth)) return Fail(ErrorCode::kInvalid, "a message is nested too deep");
  auto value = nlohmann::json::parse(line.begin(), line.end(), nullptr, false);
  if (value.is_discarded()) return Fail(ErrorCode::kInvalid, "a line is not JSON in UTF-8");
  if (!value.is_object()) return Fail(ErrorCode::kInvalid, "a message is not an object");
  return value;
}

ObjectReader::ObjectReader(const nlohmann::json& object, std::string where)
    : object_(object), where_(std::move(where)) {
  if (!object_.is_object()) fault_ = where_ + ": must be an object";
}

void ObjectReader::Fault(const std::string& key, std::string_view what) {
  if (fault_.empty()) fault_ = where_ + "." + key + ": " + std::string(what);
}

bool ObjectReader::Has(const char* key) const {
  return object_.is_object() && object_.contains(key);
}

const nlohmann::json* ObjectReader::Find(const char* key) {
  if (!Ok()) return nullptr;
  known_.insert(key);
  const auto found = object_.find(key);
  if (found == object_.end()) {
    Fault(key, "is missing");
    return nullptr;
  }
  return &*found;
}

std::string ObjectReader::String(const char* key, std::size_t max_bytes) {
  const nlohmann::json* value = Find(key);
  if (value == nullptr) return {};
  const auto* text = value->get_ptr<const std::string*>();
  if (text == nullptr) {
    Fault(key, "must be a string");
  } else if (text->size() > max_bytes) {
    Fault(key, "is longer than " + std::to_string(max_bytes) + " bytes");
  } else if (HasNul(*text)) {
    Fault(key, "holds a NUL character");
  } else {
    return *text;
  }
  return {};
}

std::optional<std::string> ObjectReader::NullableString(const char* key, std::size_t max_bytes) {
  if (Ok() && Has(key) && object_.at(key).is_null()) {
    known_.insert(key);
    return std::nullopt;
  }
  return String(key, max_bytes);
}

std::int64_t ObjectReader::Integer(const char* key, std::int64_t min, std::int64_t max) {
  const nlohmann::json* value = Find(key);
  if (value == nullptr) return 0;
  // An unsigned number above 2^63 would wrap in get<int64_t>.
  const bool fits = value->is_number_integer() &&
                    (!value->is_number_unsigned() ||
                     value->get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX));
  const std::int64_t number = fits ? value->get<std::int64_t>() : 0;
  if (fits && number >= min && number <= max) return number;
  Fault(key, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return 0;
}

bool ObjectReader::Bool(const char* key) {
  const nlohmann::json* value = Find(key);
  if (value == nullptr) return false;
  if (value->is_boolean()) return value->get<bool>();
  Fault(key, "must be true or false");
  return false;
}

std::vector<std::string> ObjectReader::Strings(const char* key, std::size_t max_items,
                                               std::size_t max_bytes) {
  const nlohmann::json* value = Find(key);
  if (value == nullptr) return {};
  if (!value->is_array() || value->size() > max_items) {
    Fault(key, "must be an array of at most " + std::to_string(max_items) + " strings");
    return {};
  }
  std::vector<std::string> out;
  for (const auto& item : *value) {
    const auto* text = item.get_ptr<const std::string*>();
    if (text == nullptr || text->size() > max_bytes || HasNul(*text)) {
      Fault(key, "holds something that is no string, too long, or has a NUL character");
      return {};
    }
    out.push_back(*text);
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> ObjectReader::StringMap(const char* key,
                                                                         std::size_t max_items,
                                                                         std::size_t max_bytes) {
  const nlohmann::json* value = Find(key);
  if (value == nullptr) return {};
  if (!value->is_object() || value->size() > max_items) {
    Fault(key, "must be an object of at most " + std::to_string(max_items) + " strings");
    return {};
  }
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, item] : value->items()) {
    const auto* text = item.get_ptr<const std::string*>();
    if (text == nullptr || text->size() > max_bytes || HasNul(*text) || HasNul(name)) {
      Fault(key, "holds something that is no string, too long, or has a NUL character");
      return {};
    }
    out.emplace_back(name, *text);
  }
  return out;
}

const nlohmann::json& ObjectReader::Any(const char* key) {
  const nlohmann::json* value = Find(key);
  return value == nullptr ? NullJson() : *value;
}

Status ObjectReader::Finish() {
  if (Ok()) {
    for (const auto& [name, value] : object_.items()) {
      if (known_.contains(name)) continue;
      Fault(name.substr(0, 64), "is not a known key");
      break;
    }
  }
  if (Ok()) return OkStatus();
  return Fail(ErrorCode::kInvalid, fault_);
}

}  // namespace sealway
