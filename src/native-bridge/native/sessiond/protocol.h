// Messages of the sessiond protocol, version 1: parsed strictly, written plainly.
//
// Layer: native sessiond. Pure: no descriptors, no processes. Threads: values and pure functions.
// Spec: docs/spec/sessiond-v1.md. The TypeScript side is src/contracts/sessiond.ts; both are held
//   to test/vectors/sessiond/transcript.jsonl.
#ifndef SEALWAY_SESSIOND_PROTOCOL_H_
#define SEALWAY_SESSIOND_PROTOCOL_H_

#include <sys/types.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/result.h"

namespace sealway::sessiond {

inline constexpr std::size_t kMaxLineBytes = 1024 * 1024;
inline constexpr std::size_t kMaxPathBytes = 4095;
inline constexpr std::size_t kMaxIdBytes = 128;

using Environment = std::vector<std::pair<std::string, std::string>>;

// --- session-client -> sessiond ---------------------------------------------------------------

struct StartMessage {
  std::vector<std::string> argv;
  std::string cwd;
  Environment environment;
  std::optional<std::string> application;
  std::vector<std::string> files;
  bool detached = false;
  std::optional<uid_t> as_user;  // root only: whose session this is
};

struct SignalMessage {
  int number = 0;
};

using ClientMessage = std::variant<StartMessage, SignalMessage>;

// --- agent -> sessiond ------------------------------------------------------------------------

enum class BindMode : std::uint8_t { kReadWrite, kReadOnly, kTmpfs, kDirectory, kDevice };

struct Bind {
  std::string source;  // empty for kTmpfs and kDirectory
  std::string target;
  BindMode mode = BindMode::kReadOnly;
  // Device number that `source` must have. Folders are named by paths whose parents their owner
  // can rename; the device of a sealfs mount cannot be imitated.
  std::optional<std::uint64_t> device;
};

struct DbusGrant {
  std::string address;
  std::vector<std::string> talk;
};

enum class Stdio : std::uint8_t { kNone, kPass };

struct SessionGrant {
  std::string id;
  std::string application;
  std::vector<std::string> argv;
  std::string cwd;
  Environment environment;
  std::vector<Bind> binds;
  bool network = false;
  std::int64_t processes = 0;
  std::optional<DbusGrant> dbus;
  Stdio stdio = Stdio::kNone;
};

struct GrantMessage {
  std::int64_t id = 0;
  SessionGrant session;
};
// Runs one more program in a session that is there.
struct JoinMessage {
  std::int64_t id = 0;
  std::string session;
  std::vector<std::string> argv;
  std::string cwd;
  Environment environment;
  Stdio stdio = Stdio::kNone;
};
struct RefuseMessage {
  std::int64_t id = 0;
  std::string code;
  std::string message;
  std::vector<std::string> rule_ids;
};
struct GoMessage {
  std::string session;
};
struct KillMessage {
  std::string session;
};
struct ReleaseMessage {
  std::string session;
};
// A session that another sessiond started, for an agent that has died since.
struct AdoptedSession {
  pid_t pid = 0;
  std::uint64_t mount_namespace = 0;
};
struct RemountMessage {
  std::string session;
  std::string path;
  std::optional<AdoptedSession> adopted;
};

using AgentMessage = std::variant<GrantMessage, JoinMessage, RefuseMessage, GoMessage, KillMessage,
                                  ReleaseMessage, RemountMessage>;

// kInvalid names the field and what would be right; it never repeats a value.
[[nodiscard]] Result<ClientMessage> ParseClientMessage(std::string_view line);
[[nodiscard]] Result<AgentMessage> ParseAgentMessage(std::string_view line);

// --- sessiond -> others -----------------------------------------------------------------------

struct Peer {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
  std::vector<gid_t> groups;  // supplementary
};

// How a session or a joined program ended. One of status, signal and error is set.
struct Ending {
  std::optional<int> status;
  std::optional<int> signal;
  std::string error_code;  // empty: it ran
  std::string error_message;
};

[[nodiscard]] nlohmann::json ReadyJson(bool personal, const std::vector<std::string>& weaknesses);
[[nodiscard]] nlohmann::json RequestJson(std::int64_t id, const Peer& peer,
                                         const StartMessage& start);
[[nodiscard]] nlohmann::json CreatedJson(std::int64_t id, const std::string& session, pid_t pid,
                                         std::uint64_t mount_namespace);
[[nodiscard]] nlohmann::json EndedJson(const std::string& session, const Ending& ending);
[[nodiscard]] nlohmann::json RemountedJson(const std::string& session, const std::string& path,
                                           const Status& outcome);
[[nodiscard]] nlohmann::json StartedJson(const std::string& session);
[[nodiscard]] nlohmann::json RefusedJson(std::string_view code, std::string_view message,
                                         const std::vector<std::string>& rule_ids = {});
[[nodiscard]] nlohmann::json ExitJson(const Ending& ending);

}  // namespace sealway::sessiond

#endif  // SEALWAY_SESSIOND_PROTOCOL_H_
