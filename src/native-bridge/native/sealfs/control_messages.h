// Requests of the control protocol: one line of JSON to one typed request, strictly.
//
// Layer: sealfs. Pure; no sockets. Threads: pure functions.
// Spec: docs/spec/sealfs-control-v1.md; the agent's side is src/contracts/sealfs-control.ts.
// Not here: what a request does (control_actions.cpp) and the socket (control_server.cpp).
#ifndef SEALWAY_SEALFS_CONTROL_MESSAGES_H_
#define SEALWAY_SEALFS_CONTROL_MESSAGES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/result.h"
#include "common/secret.h"
#include "container/head.h"
#include "sealfs/caller.h"
#include "sealfs/key_ring.h"
#include "sealfs/verdict_table.h"

namespace sealway::sealfs {

inline constexpr int kControlProtocol = 1;
inline constexpr std::size_t kMaxLineBytes = std::size_t{4} * 1024 * 1024;

// Label, area and key for new files, and the names that outsiders may create unsealed.
struct FolderConfiguration {
  std::string label;
  std::string area;
  std::uint32_t key_epoch = 1;
  FileId device_id{};
  std::vector<std::string> exclude;
  std::string preamble;  // empty: the default text
  bool profile = false;

  [[nodiscard]] KeyName Key() const { return {area, label, key_epoch}; }
};

struct NamedKey {
  KeyName name;
  Key32 key;
};

struct HelloRequest {
  std::int64_t agent_pid = 0;
};
struct ConfigureRequest {
  FolderConfiguration folder;
};
struct TableRequest {
  VerdictTableRef table;
};
struct KeysAddRequest {
  std::vector<NamedKey> keys;
};
struct KeysWithdrawRequest {
  std::vector<KeyName> keys;
};
struct SessionsRequest {
  std::vector<Session> sessions;
};
struct SessionAddRequest {
  Session session;
};
struct SessionRemoveRequest {
  std::string session_id;
};
struct BarrierReleaseRequest {
  std::uint64_t sequence = 0;
};
struct EventsAckRequest {
  std::uint64_t up_to = 0;
};
struct SealPendingRequest {};
struct FlushRequest {};
struct HealthRequest {};
struct UnmountRequest {
  bool lazy = false;
};

using RequestBody =
    std::variant<HelloRequest, ConfigureRequest, TableRequest, KeysAddRequest, KeysWithdrawRequest,
                 SessionsRequest, SessionAddRequest, SessionRemoveRequest, BarrierReleaseRequest,
                 EventsAckRequest, SealPendingRequest, FlushRequest, HealthRequest, UnmountRequest>;

struct Request {
  std::int64_t id = 0;
  RequestBody body;
};

// Parses one line without its newline. kInvalid with the reason for anything that the schema
// refuses: not JSON, not an object, unknown type, missing or unknown key, wrong type, out of range.
// The detail never repeats a value, since a value may be a key. Bytes of keys in `line` itself are
// the caller's to wipe.
[[nodiscard]] Result<Request> ParseRequest(std::string_view line);

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_CONTROL_MESSAGES_H_
