// The conversation: clients on one side, the agent on the other, sessions in between.
//
// Layer: native sessiond. Threads: one.
// Spec: docs/spec/sessiond-v1.md.
// Lifetime: when the agent's end closes, sessiond takes no more clients and stays until its last
//   session has ended, so an agent that restarts kills no work.
#ifndef SEALWAY_SESSIOND_SERVER_H_
#define SEALWAY_SESSIOND_SERVER_H_

#include <map>
#include <memory>
#include <string>

#include "common/json_lines.h"
#include "common/unique_fd.h"
#include "sessiond/client_connection.h"
#include "sessiond/poller.h"
#include "sessiond/protocol.h"
#include "sessiond/session.h"

namespace sealway::sessiond {

struct ServerLimits {
  std::size_t sessions_per_user = 32;
  std::size_t clients_per_user = 64;
  std::size_t clients = 1024;
};

class Server {
 public:
  Server(Host host, ServerLimits limits, UniqueFd listener, UniqueFd control, UniqueFd signals);

  // Returns when there is nothing left to do: see Lifetime above.
  void Run();

 private:
  struct Client {
    explicit Client(ClientConnection link) : connection(std::move(link)) {}
    ClientConnection connection;
    std::int64_t request = 0;  // 0: has not asked yet
    bool detached = false;
    bool gone = false;
    Deadline deadline;       // for its first message, then for the agent's answer
    std::string session;     // once granted
    LaunchedProcess joined;  // its program in somebody else's session
    bool waits_for_agent = false;
  };

  void Watch(Poller& poller);
  void CheckDeadlines();
  void Sweep();
  [[nodiscard]] bool Finished() const;

  void OnSignal();
  void OnAccept();
  void OnClient(Client& client);
  void OnClientMessage(Client& client, ClientMessage message);
  void OnStart(Client& client, StartMessage start);
  void OnClientGone(Client& client);
  void OnJoinedExit(Client& client);
  [[nodiscard]] bool ResolveUser(Client& client, const StartMessage& start);
  [[nodiscard]] std::size_t CountFor(uid_t uid) const;

  void OnControl(short events);
  void OnAgentMessage(const std::string& line);
  void OnAgent(GrantMessage grant);
  void OnAgent(const JoinMessage& join);
  void OnAgent(const RefuseMessage& refuse);
  void OnAgent(const GoMessage& go);
  void OnAgent(const KillMessage& kill);
  void OnAgent(const ReleaseMessage& release);
  void OnAgent(const RemountMessage& remount);
  void LoseAgent(const std::string& why);
  void StopAll();

  void AdvanceSessions();
  void FinishSession(Session& session);
  void TellAgent(const nlohmann::json& message);
  void Tell(Client& client, const nlohmann::json& message);
  void Refuse(Client& client, std::string_view code, std::string_view message,
              const std::vector<std::string>& rule_ids = {});
  [[nodiscard]] Client* WaitingClient(std::int64_t request);
  [[nodiscard]] Client* ClientOf(const Session& session);
  [[nodiscard]] Session* FindSession(const std::string& id);

  struct Entry {
    std::unique_ptr<Session> session;
    Session::Phase told = Session::Phase::kWaitProxy;  // what agent and client know
    bool release = false;
  };

  Host host_;
  ServerLimits limits_;
  UniqueFd listener_;
  UniqueFd control_;
  UniqueFd signals_;
  LineReader control_reader_{kMaxLineBytes};
  LineWriter control_writer_{64 * kMaxLineBytes};
  std::int64_t next_request_ = 1;
  std::map<int, std::unique_ptr<Client>> clients_;  // by descriptor
  std::map<std::string, Entry> sessions_;           // by id; ended ones stay until released
};

// What is weaker here than in service mode, for `sealway doctor`. Empty in service mode.
[[nodiscard]] std::vector<std::string> Weaknesses(bool personal);

}  // namespace sealway::sessiond

#endif  // SEALWAY_SESSIOND_SERVER_H_
