// sessiond's conversation with the agent: see server.h.
//
// Layer: native sessiond.
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "sessiond/enter.h"
#include "sessiond/server.h"

namespace sealway::sessiond {
namespace {

SessionStreams StreamsOf(const ClientConnection& connection) {
  return {{connection.Stream(0), connection.Stream(1), connection.Stream(2)}, connection.Umask()};
}

}  // namespace

void Server::OnControl(short events) {
  if ((events & POLLOUT) != 0 &&
      control_writer_.Flush(control_.Get()) == LineWriter::State::kClosed) {
    return LoseAgent("the agent does not read");
  }
  if ((events & ~POLLOUT) == 0) return;
  std::array<char, 65536> bytes;
  const ssize_t got = ::recv(control_.Get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return LoseAgent("the agent has gone");
  control_reader_.Append({bytes.data(), static_cast<std::size_t>(got)});
  std::string line;
  while (control_) {
    const auto state = control_reader_.Next(&line);
    if (state == LineReader::State::kNeedMore) return;
    if (state == LineReader::State::kTooLong) return LoseAgent("a line is longer than 1 MiB");
    OnAgentMessage(line);
  }
}

void Server::OnAgentMessage(const std::string& line) {
  auto message = ParseAgentMessage(line);
  if (!message)
    return LoseAgent("the agent sent a message that is none: " + message.GetError().detail);
  std::visit([this](auto& part) { OnAgent(std::move(part)); }, *message);
}

void Server::OnAgent(GrantMessage grant) {
  Client* client = WaitingClient(grant.id);
  const std::string id = grant.session.id;
  Ending ending;
  if (client == nullptr || sessions_.contains(id)) {
    // Every grant is answered by an end, so the agent need not guess what became of it.
    ending.error_code = client == nullptr ? "E_SESSION_CANCELLED" : "E_SESSION_START";
    ending.error_message = client == nullptr ? "the caller has gone" : "the session id is in use";
    if (client != nullptr) Refuse(*client, ending.error_code, ending.error_message);
    return TellAgent(EndedJson(id, ending));
  }
  client->waits_for_agent = false;
  client->deadline.reset();
  client->session = id;
  Entry& entry = sessions_[id];
  entry.session = std::make_unique<Session>(host_, client->connection.GetPeer(),
                                            std::move(grant.session), grant.id);
  entry.session->Begin(StreamsOf(client->connection));
  client->connection.CloseStreams();
}

void Server::OnAgent(const JoinMessage& join) {
  Client* client = WaitingClient(join.id);
  if (client == nullptr) return;
  Session* session = FindSession(join.session);
  if (session == nullptr || session->GetPhase() != Session::Phase::kRunning ||
      session->User().uid != client->connection.GetPeer().uid) {
    return Refuse(*client, "E_SESSION_GONE", "The session to be joined has ended.");
  }
  client->waits_for_agent = false;
  client->deadline.reset();
  auto joined = JoinSession(*session, host_, join, StreamsOf(client->connection));
  client->connection.CloseStreams();
  if (!joined) return Refuse(*client, "E_SESSION_START", joined.GetError().detail);
  client->joined = std::move(*joined);
  Tell(*client, StartedJson(join.session));
}

void Server::OnAgent(const RefuseMessage& refuse) {
  if (Client* client = WaitingClient(refuse.id)) {
    Refuse(*client, refuse.code, refuse.message, refuse.rule_ids);
  }
}

void Server::OnAgent(const GoMessage& go) {
  if (Session* session = FindSession(go.session)) session->Go();
}

void Server::OnAgent(const KillMessage& kill) {
  if (Session* session = FindSession(kill.session)) session->Terminate();
}

void Server::OnAgent(const ReleaseMessage& release) {
  const auto found = sessions_.find(release.session);
  if (found != sessions_.end()) found->second.release = true;
}

void Server::OnAgent(const RemountMessage& remount) {
  Session* session = FindSession(remount.session);
  Status outcome = sealway::Fail(ErrorCode::kInvalid, "there is no such session");
  if (host_.personal) {
    outcome = sealway::Fail(ErrorCode::kInvalid,
                            "in personal mode the application has to be started again");
  } else if (session != nullptr && session->GetPhase() == Session::Phase::kRunning) {
    outcome = RemountInSession(*session, remount.path);
  } else if (session == nullptr && remount.adopted) {
    outcome = RemountInAdopted(*remount.adopted, remount.path);
  }
  TellAgent(RemountedJson(remount.session, remount.path, outcome));
}

void Server::LoseAgent(const std::string& why) {
  if (control_) std::fprintf(stderr, "sessiond: %s\n", why.c_str());
  control_.Reset();
  listener_.Reset();
  for (auto& [fd, client] : clients_) {
    if (client->waits_for_agent || client->request == 0) {
      Refuse(*client, "E_SESSION_AGENT_GONE", "The Sealway agent is not running.");
    }
  }
  // Without the agent no session that waits will ever be let go.
  for (auto& [id, entry] : sessions_) {
    if (entry.session->GetPhase() != Session::Phase::kRunning) entry.session->Terminate();
  }
}

void Server::AdvanceSessions() {
  using Phase = Session::Phase;
  for (auto& [id, entry] : sessions_) {
    Session& session = *entry.session;
    const Phase phase = session.GetPhase();
    if (phase == entry.told) continue;
    entry.told = phase;
    if (phase == Phase::kWaitGo) {
      TellAgent(CreatedJson(session.Request(), id, session.FirstPid(), session.MountNamespace()));
    } else if (phase == Phase::kRunning) {
      if (Client* client = ClientOf(session)) {
        Tell(*client, StartedJson(id));
        if (client->detached) client->gone = true;
      }
    } else if (phase == Phase::kEnded) {
      FinishSession(session);
    }
  }
}

void Server::FinishSession(Session& session) {
  const Ending& ending = session.GetEnding();
  if (Client* client = ClientOf(session)) {
    if (ending.error_code.empty()) {
      Tell(*client, ExitJson(ending));
      client->gone = true;
    } else {
      Refuse(*client, ending.error_code, ending.error_message);
    }
  }
  TellAgent(EndedJson(session.Grant().id, ending));
}

void Server::TellAgent(const nlohmann::json& message) {
  if (!control_) return;
  if (!control_writer_.Push(message) ||
      control_writer_.Flush(control_.Get()) == LineWriter::State::kClosed) {
    LoseAgent("the agent does not read");
  }
}

}  // namespace sealway::sessiond
