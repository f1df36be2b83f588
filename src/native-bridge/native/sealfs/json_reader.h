// A strict reader of JSON objects: each key asked for once, and no key left over.
//
// Layer: sealfs. Threads: an object belongs to one thread.
// The first fault is kept; readers after it return defaults, so that parsing code stays straight.
#ifndef SEALWAY_SEALFS_JSON_READER_H_
#define SEALWAY_SEALFS_JSON_READER_H_

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace sealway::sealfs {

// The first fault of a whole message; shared by the readers of its nested objects.
struct JsonFault {
  std::string detail;
  [[nodiscard]] bool Any() const { return !detail.empty(); }
  void Set(std::string_view what, std::string_view where) {
    if (detail.empty()) detail = std::string(where) + ": " + std::string(what);
  }
};

class JsonObject {
 public:
  JsonObject(const nlohmann::json& value, std::string where, JsonFault& fault);

  [[nodiscard]] bool Has(const char* key) const;
  [[nodiscard]] std::string Text(const char* key, std::size_t min = 0,
                                 std::size_t max = std::numeric_limits<std::size_t>::max());
  [[nodiscard]] std::int64_t Integer(const char* key, std::int64_t min, std::int64_t max);
  [[nodiscard]] bool Bool(const char* key);
  // A number written as a decimal string, since it may pass 2^53.
  [[nodiscard]] std::uint64_t Decimal(const char* key);
  [[nodiscard]] std::vector<std::string> Texts(const char* key, std::size_t max_items,
                                               std::size_t max_bytes, std::size_t min_bytes = 0);
  // The raw value; an empty object when missing (the fault is kept).
  [[nodiscard]] const nlohmann::json& Raw(const char* key);
  [[nodiscard]] JsonObject Object(const char* key);
  // One reader for each item of an array of objects.
  [[nodiscard]] std::vector<JsonObject> Objects(const char* key);
  void Fail(std::string_view what, const char* key) { fault_->Set(what, Where(key)); }
  // Call last: any key that was not asked for is a fault.
  void Finish();

 private:
  [[nodiscard]] std::string Where(const char* key) const { return where_ + "." + key; }
  const nlohmann::json* value_;
  std::string where_;
  JsonFault* fault_;
  std::vector<std::string_view> seen_;
};

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_JSON_READER_H_
