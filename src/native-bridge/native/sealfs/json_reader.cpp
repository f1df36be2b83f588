// A strict reader of JSON objects. Layer: sealfs.
#include "sealfs/json_reader.h"

#include <algorithm>
#include <charconv>

namespace sealway::sealfs {
namespace {

const nlohmann::json& EmptyObject() {
  static const nlohmann::json empty = nlohmann::json::object();
  return empty;
}

}  // namespace

JsonObject::JsonObject(const nlohmann::json& value, std::string where, JsonFault& fault)
    : value_(&value), where_(std::move(where)), fault_(&fault) {
  if (!value.is_object()) {
    fault_->Set("not an object", where_);
    value_ = &EmptyObject();
  }
}

bool JsonObject::Has(const char* key) const { return value_->contains(key); }

const nlohmann::json& JsonObject::Raw(const char* key) {
  const auto found = value_->find(key);
  if (found == value_->end()) {
    Fail("missing", key);
    return EmptyObject();
  }
  seen_.push_back(found.key());
  return *found;
}

std::string JsonObject::Text(const char* key, std::size_t min, std::size_t max) {
  const auto& value = Raw(key);
  if (!value.is_string()) {
    Fail("not a string", key);
    return {};
  }
  auto text = value.get<std::string>();
  if (text.size() < min || text.size() > max) Fail("length out of range", key);
  return text;
}

std::int64_t JsonObject::Integer(const char* key, std::int64_t min, std::int64_t max) {
  const auto& value = Raw(key);
  const bool fits = value.is_number_integer() &&
                    (!value.is_number_unsigned() ||
                     value.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX));
  if (!fits) {
    Fail("not an integer", key);
    return min;
  }
  const auto number = value.get<std::int64_t>();
  if (number < min || number > max) {
    Fail("out of range", key);
    return min;
  }
  return number;
}

bool JsonObject::Bool(const char* key) {
  const auto& value = Raw(key);
  if (!value.is_boolean()) {
    Fail("not a boolean", key);
    return false;
  }
  return value.get<bool>();
}

std::uint64_t JsonObject::Decimal(const char* key) {
  const auto text = Text(key, 1, 20);
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) Fail("not a decimal number", key);
  return number;
}

std::vector<std::string> JsonObject::Texts(const char* key, std::size_t max_items,
                                           std::size_t max_bytes, std::size_t min_bytes) {
  const auto& value = Raw(key);
  std::vector<std::string> texts;
  if (!value.is_array() || value.size() > max_items) {
    Fail("not an array of the allowed size", key);
    return texts;
  }
  for (const auto& item : value) {
    const std::size_t bytes =
        item.is_string() ? item.get_ref<const std::string&>().size() : max_bytes + 1;
    if (bytes < min_bytes || bytes > max_bytes) {
      Fail("holds something else than short strings", key);
      return {};
    }
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

JsonObject JsonObject::Object(const char* key) { return {Raw(key), Where(key), *fault_}; }

std::vector<JsonObject> JsonObject::Objects(const char* key) {
  const auto& value = Raw(key);
  std::vector<JsonObject> objects;
  if (!value.is_array()) {
    Fail("not an array", key);
    return objects;
  }
  for (const auto& item : value) objects.emplace_back(item, Where(key) + "[]", *fault_);
  return objects;
}

void JsonObject::Finish() {
  for (const auto& [key, value] : value_->items()) {
    if (std::find(seen_.begin(), seen_.end(), key) == seen_.end()) {
      fault_->Set("unknown key", where_);
    }
  }
}

}  // namespace sealway::sealfs
