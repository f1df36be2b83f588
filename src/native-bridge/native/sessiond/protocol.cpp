// Messages of the sessiond protocol: see protocol.h.
//
// Layer: native sessiond.
#include "sessiond/protocol.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <csignal>

#include "common/json_lines.h"

namespace sealway::sessiond {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxArguments = 4096;
constexpr std::size_t kMaxTextBytes = 128 * 1024;  // the kernel's limit for one argument
constexpr std::size_t kMaxVariables = 512;
constexpr std::size_t kMaxBinds = 512;
constexpr std::int64_t kMaxProcesses = 65536;

// What a terminal's user can send, and no more: STOP and KILL reach a session by other ways.
constexpr std::array kPassedSignals = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGUSR1,
                                       SIGUSR2, SIGCONT, SIGTSTP, SIGWINCH};

bool IsAbsolutePath(const std::string& path) {
  return !path.empty() && path.front() == '/' && (path + "/").find("/../") == std::string::npos;
}

std::string PathField(ObjectReader& fields, const char* key) {
  std::string path = fields.String(key, kMaxPathBytes);
  if (fields.Ok() && !IsAbsolutePath(path)) {
    fields.Fault(key, "must be an absolute path without \"..\"");
  }
  return path;
}

std::vector<std::string> ArgvField(ObjectReader& fields) {
  auto argv = fields.Strings("argv", kMaxArguments, kMaxTextBytes);
  if (fields.Ok() && argv.empty()) fields.Fault("argv", "must name a program");
  return argv;
}

Environment EnvironmentField(ObjectReader& fields) {
  auto environment = fields.StringMap("environment", kMaxVariables, kMaxTextBytes);
  for (const auto& [name, value] : environment) {
    if (name.empty() || name.find('=') != std::string::npos) {
      fields.Fault("environment", "holds a name that is empty or has a \"=\"");
    }
  }
  return environment;
}

// The agent's builder lets none of these through; a second look costs nothing and the loader's
// variables turn a listed program into any program.
void RefuseLoaderVariables(ObjectReader& fields, const Environment& environment) {
  for (const auto& [name, value] : environment) {
    if (name.starts_with("LD_") || name.starts_with("GLIBC_") || name == "GCONV_PATH") {
      fields.Fault("environment", "holds a variable of the dynamic loader");
    }
  }
}

// Names a directory of the session, so it must be no path.
std::string SessionIdField(ObjectReader& fields, const char* key) {
  std::string id = fields.String(key, kMaxIdBytes);
  const bool plain = std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  });
  if (id.empty() || !plain) fields.Fault(key, "must be letters, digits, \"-\" and \"_\"");
  return id;
}

template <class E, std::size_t N>
E ChoiceField(ObjectReader& fields, const char* key,
              const std::array<std::pair<std::string_view, E>, N>& choices) {
  const std::string text = fields.String(key, kMaxIdBytes);
  std::string allowed;
  for (const auto& [name, value] : choices) {
    if (text == name) return value;
    allowed += (allowed.empty() ? "" : ", ") + std::string(name);
  }
  fields.Fault(key, "must be one of: " + allowed);
  return choices.front().second;
}

Stdio StdioField(ObjectReader& fields) {
  static constexpr std::array<std::pair<std::string_view, Stdio>, 2> kChoices = {
      {{"none", Stdio::kNone}, {"pass", Stdio::kPass}}};
  return ChoiceField(fields, "stdio", kChoices);
}

std::optional<std::uint64_t> DecimalField(ObjectReader& fields, const char* key) {
  const std::string text = fields.String(key, 20);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  fields.Fault(key, "must be a decimal number in a string");
  return std::nullopt;
}

Bind ReadBind(const json& value, std::size_t index, ObjectReader& outer) {
  static constexpr std::array<std::pair<std::string_view, BindMode>, 5> kModes = {
      {{"ro", BindMode::kReadOnly},
       {"rw", BindMode::kReadWrite},
       {"tmpfs", BindMode::kTmpfs},
       {"dir", BindMode::kDirectory},
       {"dev", BindMode::kDevice}}};
  Bind bind;
  ObjectReader fields(value, "binds[" + std::to_string(index) + "]");
  bind.mode = ChoiceField(fields, "mode", kModes);
  bind.target = PathField(fields, "target");
  if (bind.mode != BindMode::kTmpfs && bind.mode != BindMode::kDirectory) {
    bind.source = PathField(fields, "source");
    if (fields.Has("device")) bind.device = DecimalField(fields, "device");
  }
  if (const auto status = fields.Finish(); !status) {
    outer.Fault("session", status.GetError().detail);
  }
  return bind;
}

std::vector<Bind> BindsField(ObjectReader& fields) {
  std::vector<Bind> binds;
  const json& list = fields.Any("binds");
  if (!fields.Ok()) return binds;
  if (!list.is_array() || list.size() > kMaxBinds) {
    fields.Fault("binds", "must be an array of at most " + std::to_string(kMaxBinds));
    return binds;
  }
  for (std::size_t i = 0; i < list.size() && fields.Ok(); ++i) {
    binds.push_back(ReadBind(list[i], i, fields));
  }
  return binds;
}

std::optional<DbusGrant> DbusField(ObjectReader& fields) {
  const json& value = fields.Any("dbus");
  if (!fields.Ok() || value.is_null()) return std::nullopt;
  DbusGrant grant;
  ObjectReader inner(value, "dbus");
  grant.address = inner.String("address", kMaxPathBytes);
  grant.talk = inner.Strings("talk", 64, 255);
  if (inner.Ok() && !grant.address.starts_with("unix:")) {
    inner.Fault("address", "must start with \"unix:\"");
  }
  if (const auto status = inner.Finish(); !status) fields.Fault("dbus", status.GetError().detail);
  return grant;
}

SessionGrant ReadSession(const json& value, ObjectReader& outer) {
  SessionGrant session;
  ObjectReader fields(value, "session");
  session.id = SessionIdField(fields, "id");
  session.application = fields.String("application", kMaxIdBytes);
  session.argv = ArgvField(fields);
  session.cwd = PathField(fields, "cwd");
  session.environment = EnvironmentField(fields);
  RefuseLoaderVariables(fields, session.environment);
  session.binds = BindsField(fields);
  session.network = fields.Bool("network");
  session.processes = fields.Integer("processes", 1, kMaxProcesses);
  session.dbus = DbusField(fields);
  session.stdio = StdioField(fields);
  static constexpr std::array<std::pair<std::string_view, int>, 1> kFilters = {{{"default", 0}}};
  (void)ChoiceField(fields, "seccomp", kFilters);
  if (const auto status = fields.Finish(); !status) {
    outer.Fault("session", status.GetError().detail);
  }
  return session;
}

StartMessage ReadStart(ObjectReader& fields) {
  StartMessage start;
  start.argv = ArgvField(fields);
  start.cwd = PathField(fields, "cwd");
  start.environment = EnvironmentField(fields);
  start.application = fields.NullableString("application", kMaxIdBytes);
  start.files = fields.Strings("files", kMaxArguments, kMaxPathBytes);
  start.detached = fields.Bool("detached");
  if (fields.Has("asUser")) {
    // 0 and 2^32 - 1 are no users a session may belong to.
    start.as_user = static_cast<uid_t>(fields.Integer("asUser", 1, INT64_C(4294967294)));
  }
  return start;
}

SignalMessage ReadSignal(ObjectReader& fields) {
  SignalMessage signal{static_cast<int>(fields.Integer("number", 1, 64))};
  if (std::find(kPassedSignals.begin(), kPassedSignals.end(), signal.number) ==
      kPassedSignals.end()) {
    fields.Fault("number", "is not a signal that a session takes from its client");
  }
  return signal;
}

GrantMessage ReadGrant(ObjectReader& fields) {
  GrantMessage grant;
  grant.id = fields.Integer("id", 1, INT64_C(9007199254740991));
  const json& session = fields.Any("session");
  if (fields.Ok()) grant.session = ReadSession(session, fields);
  return grant;
}

JoinMessage ReadJoin(ObjectReader& fields) {
  JoinMessage join;
  join.id = fields.Integer("id", 1, INT64_C(9007199254740991));
  join.session = SessionIdField(fields, "session");
  join.argv = ArgvField(fields);
  join.cwd = PathField(fields, "cwd");
  join.environment = EnvironmentField(fields);
  RefuseLoaderVariables(fields, join.environment);
  join.stdio = StdioField(fields);
  return join;
}

RefuseMessage ReadRefuse(ObjectReader& fields) {
  RefuseMessage refuse;
  refuse.id = fields.Integer("id", 1, INT64_C(9007199254740991));
  refuse.code = fields.String("code", kMaxIdBytes);
  refuse.message = fields.String("message", 4096);
  refuse.rule_ids = fields.Strings("ruleIds", 64, 256);
  return refuse;
}

// Parses `line` and hands its type and fields to `read`, which returns false for a type that this
// side does not take.
template <class Message, class Read>
Result<Message> ParseLine(std::string_view line, Read read) {
  auto parsed = ParseJsonObject(line);
  if (!parsed) return parsed.GetError();
  ObjectReader fields(*parsed, "message");
  const std::string type = fields.String("type", kMaxIdBytes);
  Message message;
  if (fields.Ok() && !read(type, fields, message)) fields.Fault("type", "is not known here");
  if (const auto status = fields.Finish(); !status) return status.GetError();
  return message;
}

json OptionalInteger(const std::optional<int>& value) { return value ? json(*value) : json(); }

}  // namespace

Result<ClientMessage> ParseClientMessage(std::string_view line) {
  return ParseLine<ClientMessage>(
      line, [](const std::string& type, ObjectReader& fields, ClientMessage& out) {
        if (type == "start") {
          out = ReadStart(fields);
        } else if (type == "signal") {
          out = ReadSignal(fields);
        } else {
          return false;
        }
        return true;
      });
}

Result<AgentMessage> ParseAgentMessage(std::string_view line) {
  return ParseLine<AgentMessage>(
      line, [](const std::string& type, ObjectReader& fields, AgentMessage& out) {
        const auto session = [&fields] { return SessionIdField(fields, "session"); };
        if (type == "grant") {
          out = ReadGrant(fields);
        } else if (type == "join") {
          out = ReadJoin(fields);
        } else if (type == "refuse") {
          out = ReadRefuse(fields);
        } else if (type == "go") {
          out = GoMessage{session()};
        } else if (type == "kill") {
          out = KillMessage{session()};
        } else if (type == "release") {
          out = ReleaseMessage{session()};
        } else if (type == "remount") {
          RemountMessage remount;
          remount.session = session();
          remount.path = PathField(fields, "path");
          if (fields.Has("pid")) {
            const auto pid = static_cast<pid_t>(fields.Integer("pid", 1, INT32_MAX));
            const auto mount_namespace = DecimalField(fields, "mountNamespace");
            remount.adopted = AdoptedSession{pid, mount_namespace.value_or(0)};
          }
          out = remount;
        } else {
          return false;
        }
        return true;
      });
}

json ReadyJson(bool personal, const std::vector<std::string>& weaknesses) {
  return {{"type", "ready"},
          {"protocol", 1},
          {"mode", personal ? "personal" : "service"},
          {"weaknesses", weaknesses}};
}

json RequestJson(std::int64_t id, const Peer& peer, const StartMessage& start) {
  json environment = json::object();
  for (const auto& [name, value] : start.environment) environment[name] = value;
  return {{"type", "request"},
          {"id", id},
          {"uid", peer.uid},
          {"gid", peer.gid},
          {"pid", peer.pid},
          {"argv", start.argv},
          {"cwd", start.cwd},
          {"environment", environment},
          {"application", start.application ? json(*start.application) : json()},
          {"files", start.files},
          {"detached", start.detached}};
}

json CreatedJson(std::int64_t id, const std::string& session, pid_t pid,
                 std::uint64_t mount_namespace) {
  return {{"type", "created"},
          {"id", id},
          {"session", session},
          {"pid", pid},
          {"mountNamespace", std::to_string(mount_namespace)}};
}

json EndedJson(const std::string& session, const Ending& ending) {
  json error;
  if (!ending.error_code.empty()) {
    error = {{"code", ending.error_code}, {"message", ending.error_message}};
  }
  return {{"type", "ended"},
          {"session", session},
          {"status", OptionalInteger(ending.status)},
          {"signal", OptionalInteger(ending.signal)},
          {"error", error}};
}

json RemountedJson(const std::string& session, const std::string& path, const Status& outcome) {
  return {{"type", "remounted"},
          {"session", session},
          {"path", path},
          {"ok", outcome.Ok()},
          {"detail", outcome.Ok() ? "" : outcome.GetError().detail}};
}

json StartedJson(const std::string& session) { return {{"type", "started"}, {"session", session}}; }

json RefusedJson(std::string_view code, std::string_view message,
                 const std::vector<std::string>& rule_ids) {
  return {{"type", "refused"}, {"code", code}, {"message", message}, {"ruleIds", rule_ids}};
}

json ExitJson(const Ending& ending) {
  if (ending.signal) return {{"type", "exit"}, {"signal", *ending.signal}};
  return {{"type", "exit"}, {"status", ending.status.value_or(1)}};
}

}  // namespace sealway::sessiond
