// Requests of the control protocol. Layer: sealfs.
#include "sealfs/control_messages.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <functional>
#include <span>
#include <unordered_map>
#include <utility>

#include "common/bytes.h"
#include "sealfs/json_reader.h"

namespace sealway::sealfs {
namespace {

constexpr std::int64_t kMaxSafeInteger = (std::int64_t{1} << 53) - 1;
constexpr std::int64_t kMaxUid = 0xffff'fffe;  // -1 means "no change" to chown(2)
constexpr std::int64_t kMaxPid = 0x7fff'ffff;
constexpr std::size_t kMaxNameBytes = 255;

// The protocol writes bytes in one way only.
bool FromLowerHex(std::string_view hex, std::span<std::uint8_t> out) {
  const auto upper = [](char digit) { return digit >= 'A' && digit <= 'F'; };
  return std::none_of(hex.begin(), hex.end(), upper) && FromHex(hex, out);
}

KeyName ReadKeyName(JsonObject& object) {
  KeyName name;
  name.area = object.Text("area", 1, 96);
  name.label = object.Text("label", 1, 64);
  name.epoch = static_cast<std::uint32_t>(object.Integer("epoch", 1, 0xffff'ffff));
  return name;
}

RequestBody ReadHello(JsonObject& object) {
  if (object.Integer("protocol", 0, kMaxSafeInteger) != kControlProtocol) {
    object.Fail("another protocol", "protocol");
  }
  return HelloRequest{object.Integer("agentPid", 1, kMaxSafeInteger)};
}

RequestBody ReadConfigure(JsonObject& object) {
  auto from = object.Object("folder");
  FolderConfiguration folder;
  folder.label = from.Text("label", 1, 64);
  folder.area = from.Text("area", 1, 96);
  folder.key_epoch = static_cast<std::uint32_t>(from.Integer("keyEpoch", 1, 0xffff'ffff));
  if (!FromLowerHex(from.Text("deviceId"), folder.device_id)) from.Fail("not 16 bytes", "deviceId");
  folder.exclude = from.Texts("exclude", 64, kMaxNameBytes, 1);
  if (from.Has("preamble")) folder.preamble = from.Text("preamble", 0, 502);
  folder.profile = from.Bool("profile");
  from.Finish();
  return ConfigureRequest{std::move(folder)};
}

bool ReadVerdict(JsonObject& object, const char* key) {
  const auto text = object.Text(key);
  if (text != "allow" && text != "deny") object.Fail("neither allow nor deny", key);
  return text == "allow";
}

VerdictRow ReadRow(JsonObject& from) {
  VerdictRow row;
  const auto& uid = from.Raw("uid");
  if (!uid.is_string()) {
    row.uid = static_cast<uid_t>(from.Integer("uid", 0, kMaxUid));
  } else if (uid != "*") {
    from.Fail("neither a number nor *", "uid");
  }
  row.application = from.Text("application");
  row.label = from.Text("label");
  if (auto area = from.Text("area"); area != "*") row.area = std::move(area);
  row.open = ReadVerdict(from, "open");
  row.modify = ReadVerdict(from, "modify");
  row.rule_ids = from.Texts("ruleIds", 1024, 1024);
  from.Finish();
  return row;
}

RequestBody ReadTable(JsonObject& object) {
  auto from = object.Object("table");
  auto version = from.Text("version");
  std::vector<LabelRule> labels;
  for (auto& item : from.Objects("labels")) {
    labels.push_back({item.Text("name"), item.Integer("level", 0, kMaxSafeInteger),
                      item.Bool("barrier"), item.Bool("recordSealedOpens")});
    item.Finish();
  }
  std::vector<ApplicationRule> applications;
  for (auto& item : from.Objects("applications")) {
    applications.push_back(
        {item.Text("id"), item.Bool("childrenPlain"), item.Bool("anyExecutable")});
    item.Finish();
  }
  std::vector<ExecutableRule> executables;
  for (auto& item : from.Objects("executables")) {
    ExecutableRule rule{item.Text("application"), item.Text("path"), {}};
    rule.id = {item.Decimal("dev"), item.Decimal("ino"),
               static_cast<std::int64_t>(item.Decimal("ctimeNs"))};
    item.Finish();
    executables.push_back(std::move(rule));
  }
  std::vector<VerdictRow> rows;
  for (auto& item : from.Objects("rows")) rows.push_back(ReadRow(item));
  from.Finish();
  return TableRequest{std::make_shared<const VerdictTable>(
      std::move(version), std::move(labels), std::move(applications), std::move(executables),
      std::move(rows))};
}

RequestBody ReadKeysAdd(JsonObject& object) {
  KeysAddRequest request;
  for (auto& item : object.Objects("keys")) {
    NamedKey key;
    key.name = ReadKeyName(item);
    auto hex = item.Text("key");
    if (!FromLowerHex(hex, key.key.Mutable())) item.Fail("not 32 bytes", "key");
    OPENSSL_cleanse(hex.data(), hex.size());
    item.Finish();
    request.keys.push_back(std::move(key));
  }
  return request;
}

RequestBody ReadKeysWithdraw(JsonObject& object) {
  KeysWithdrawRequest request;
  for (auto& item : object.Objects("keys")) {
    request.keys.push_back(ReadKeyName(item));
    item.Finish();
  }
  return request;
}

Session ReadSession(JsonObject& from) {
  Session session;
  session.id = from.Text("id", 1, 64);
  session.uid = static_cast<uid_t>(from.Integer("uid", 0, kMaxUid));
  session.application = from.Text("application", 1);
  session.mount_namespace = from.Decimal("mountNamespace");
  if (from.Has("pid")) session.first_pid = static_cast<pid_t>(from.Integer("pid", 1, kMaxPid));
  from.Finish();
  return session;
}

RequestBody ReadSessions(JsonObject& object) {
  SessionsRequest request;
  for (auto& item : object.Objects("sessions")) request.sessions.push_back(ReadSession(item));
  return request;
}

RequestBody ReadSessionAdd(JsonObject& object) {
  auto from = object.Object("session");
  return SessionAddRequest{ReadSession(from)};
}

std::uint64_t ReadSequence(JsonObject& object, const char* key) {
  return static_cast<std::uint64_t>(object.Integer(key, 0, kMaxSafeInteger));
}

using Reader = std::function<RequestBody(JsonObject&)>;

const std::unordered_map<std::string, Reader>& Readers() {
  static const std::unordered_map<std::string, Reader> readers = {
      {"hello", ReadHello},
      {"configure", ReadConfigure},
      {"table", ReadTable},
      {"keys-add", ReadKeysAdd},
      {"keys-withdraw", ReadKeysWithdraw},
      {"sessions", ReadSessions},
      {"session-add", ReadSessionAdd},
      {"session-remove", [](JsonObject& o) { return SessionRemoveRequest{o.Text("sessionId")}; }},
      {"barrier-release",
       [](JsonObject& o) { return BarrierReleaseRequest{ReadSequence(o, "sequence")}; }},
      {"events-ack", [](JsonObject& o) { return EventsAckRequest{ReadSequence(o, "upTo")}; }},
      {"seal-pending", [](JsonObject&) { return SealPendingRequest{}; }},
      {"flush", [](JsonObject&) { return FlushRequest{}; }},
      {"health", [](JsonObject&) { return HealthRequest{}; }},
      {"unmount", [](JsonObject& o) { return UnmountRequest{o.Bool("lazy")}; }},
  };
  return readers;
}

// nlohmann holds string values on the heap; keys must not stay there. No schema nests deeper than
// `depth`; without the bound, four million brackets would use up the stack.
void WipeStrings(nlohmann::json& value, int depth = 6) {
  if (depth == 0) return;
  if (value.is_string()) {
    auto& text = value.get_ref<std::string&>();
    OPENSSL_cleanse(text.data(), text.size());
  } else if (value.is_structured()) {
    for (auto& item : value) WipeStrings(item, depth - 1);
  }
}

}  // namespace

Result<Request> ParseRequest(std::string_view line) {
  auto json = nlohmann::json::parse(line, nullptr, false);
  if (json.is_discarded()) return Fail(ErrorCode::kInvalid, "not JSON");
  JsonFault fault;
  JsonObject object(json, "request", fault);
  const auto type = object.Text("type");
  Request request;
  request.id = object.Integer("id", 0, kMaxSafeInteger);
  if (!fault.Any()) {
    const auto reader = Readers().find(type);
    if (reader == Readers().end()) {
      fault.Set("unknown type", "request");
    } else {
      request.body = reader->second(object);
      object.Finish();
    }
  }
  WipeStrings(json);
  if (fault.Any()) return Fail(ErrorCode::kInvalid, fault.detail);
  return request;
}

}  // namespace sealway::sealfs
