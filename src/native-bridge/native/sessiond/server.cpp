// sessiond's loop and its clients: see server.h. The agent's side is server_agent.cpp.
//
// Layer: native sessiond.
#include "sessiond/server.h"

#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

namespace sealway::sessiond {
namespace {

constexpr std::chrono::seconds kClientLimit{10};

}  // namespace

Server::Server(Host host, ServerLimits limits, UniqueFd listener, UniqueFd control,
               UniqueFd signals)
    : host_(std::move(host)),
      limits_(limits),
      listener_(std::move(listener)),
      control_(std::move(control)),
      signals_(std::move(signals)) {}

void Server::Run() {
  TellAgent(ReadyJson(host_.personal, Weaknesses(host_.personal)));
  while (!Finished()) {
    Poller poller;
    Watch(poller);
    poller.Wait();
    CheckDeadlines();
    AdvanceSessions();
    Sweep();
  }
}

bool Server::Finished() const { return !control_ && sessions_.empty(); }

void Server::Watch(Poller& poller) {
  poller.Add(signals_.Get(), POLLIN, [this](short) { OnSignal(); });
  if (listener_ && clients_.size() < limits_.clients) {
    poller.Add(listener_.Get(), POLLIN, [this](short) { OnAccept(); });
  }
  if (control_) {
    const short write = control_writer_.Empty() ? 0 : POLLOUT;
    poller.Add(control_.Get(), static_cast<short>(POLLIN | write),
               [this](short events) { OnControl(events); });
  }
  for (auto& [fd, entry] : clients_) {
    Client& client = *entry;
    const short write = client.connection.WantsToWrite() ? POLLOUT : 0;
    poller.Add(fd, static_cast<short>(POLLIN | write), [this, &client](short events) {
      if ((events & POLLOUT) != 0 && !client.connection.Flush()) OnClientGone(client);
      if ((events & ~POLLOUT) != 0) OnClient(client);
    });
    if (client.joined.pidfd) {
      poller.Add(client.joined.pidfd.Get(), POLLIN,
                 [this, &client](short) { OnJoinedExit(client); });
    }
    poller.WakeBy(client.deadline);
  }
  for (auto& [id, entry] : sessions_) entry.session->Watch(poller);
}

void Server::CheckDeadlines() {
  for (auto& [fd, client] : clients_) {
    if (!client->deadline || Clock::now() < *client->deadline) continue;
    client->deadline.reset();
    if (client->joined.pidfd) {
      ::kill(client->joined.pid, SIGKILL);
    } else if (client->request == 0) {
      client->gone = true;
    } else {
      Refuse(*client, "E_SESSION_AGENT_SILENT", "The Sealway agent did not answer in time.");
    }
  }
  for (auto& [id, entry] : sessions_) entry.session->CheckDeadline();
}

void Server::Sweep() {
  std::erase_if(clients_,
                [](const auto& item) { return item.second->gone && !item.second->joined.pidfd; });
  std::erase_if(sessions_, [this](const auto& item) {
    return item.second.session->GetPhase() == Session::Phase::kEnded &&
           item.second.told == Session::Phase::kEnded && (item.second.release || !control_);
  });
}

void Server::OnSignal() {
  signalfd_siginfo info{};
  if (::read(signals_.Get(), &info, sizeof info) == sizeof info) StopAll();
}

// The agent asked by signal: nothing new, and what runs ends now.
void Server::StopAll() {
  LoseAgent("sessiond was told to stop");
  for (auto& [id, entry] : sessions_) entry.session->Terminate();
}

void Server::OnAccept() {
  UniqueFd socket(::accept4(listener_.Get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket) return;
  auto peer = PeerOf(socket.Get());
  if (!peer) return;
  const auto same = std::count_if(clients_.begin(), clients_.end(), [&peer](const auto& item) {
    return item.second->connection.GetPeer().uid == peer->uid;
  });
  const mode_t umask = UmaskOf(peer->pid);
  const int fd = socket.Get();
  auto client =
      std::make_unique<Client>(ClientConnection(std::move(socket), std::move(*peer), umask));
  client->deadline = Clock::now() + kClientLimit;
  if (static_cast<std::size_t>(same) >= limits_.clients_per_user) {
    Refuse(*client, "E_SESSION_LIMIT", "Too many programs of yours ask for a session.");
    return;
  }
  clients_[fd] = std::move(client);
}

void Server::OnClient(Client& client) {
  if (client.gone) return;
  std::string fault;
  const auto input = client.connection.Receive(
      [this, &client](ClientMessage message) { OnClientMessage(client, std::move(message)); },
      &fault);
  if (input == ClientConnection::Input::kFault && !client.gone) {
    Refuse(client, "E_SESSION_PROTOCOL", fault);
  }
  if (input != ClientConnection::Input::kOpen) OnClientGone(client);
}

void Server::OnClientMessage(Client& client, ClientMessage message) {
  if (client.gone) return;
  if (auto* start = std::get_if<StartMessage>(&message)) {
    if (client.request != 0) {
      Refuse(client, "E_SESSION_PROTOCOL", "a client starts one session");
      return OnClientGone(client);
    }
    return OnStart(client, std::move(*start));
  }
  const int number = std::get<SignalMessage>(message).number;
  if (client.joined.pidfd) {
    ::kill(-client.joined.pid, number == SIGTSTP ? SIGSTOP : number);
  } else if (Session* session = FindSession(client.session)) {
    session->Signal(number);
  }
}

bool Server::ResolveUser(Client& client, const StartMessage& start) {
  const Peer peer = client.connection.GetPeer();
  if (host_.personal || (peer.uid != 0 && !start.as_user)) {
    if (start.as_user) Refuse(client, "E_SESSION_USER", "Only root may name another user.");
    return !start.as_user;
  }
  if (peer.uid != 0 || !start.as_user) {
    Refuse(client, "E_SESSION_USER",
           peer.uid == 0 ? "Root has no sealed sessions: name the user whose session it is."
                         : "Only root may name another user.");
    return false;
  }
  auto user = PeerForUser(*start.as_user, peer.pid);
  if (!user) {
    Refuse(client, "E_SESSION_USER", user.GetError().detail);
    return false;
  }
  client.connection.SetPeer(std::move(*user));
  return true;
}

std::size_t Server::CountFor(uid_t uid) const {
  const auto count = std::count_if(sessions_.begin(), sessions_.end(), [uid](const auto& item) {
    return item.second.session->User().uid == uid;
  });
  return static_cast<std::size_t>(count);
}

void Server::OnStart(Client& client, StartMessage start) {
  client.request = next_request_++;
  client.detached = start.detached;
  if (!client.connection.HasStreams()) {
    return Refuse(client, "E_SESSION_PROTOCOL", "the three standard streams are missing");
  }
  if (!ResolveUser(client, start)) return;
  if (CountFor(client.connection.GetPeer().uid) >= limits_.sessions_per_user) {
    return Refuse(client, "E_SESSION_LIMIT", "You have too many sealed sessions open.");
  }
  if (!control_) return Refuse(client, "E_SESSION_AGENT_GONE", "The Sealway agent is not running.");
  client.waits_for_agent = true;
  client.deadline = Clock::now() + kClientLimit;
  TellAgent(RequestJson(client.request, client.connection.GetPeer(), start));
}

void Server::OnClientGone(Client& client) {
  if (client.gone) return;
  client.gone = true;
  client.waits_for_agent = false;
  if (client.detached) return;
  if (client.joined.pidfd) {
    ::kill(-client.joined.pid, SIGTERM);
    client.deadline = Clock::now() + std::chrono::seconds(5);
  } else if (Session* session = FindSession(client.session)) {
    session->Terminate();
  }
}

void Server::OnJoinedExit(Client& client) {
  int status = 0;
  if (::waitpid(client.joined.pid, &status, WNOHANG) != client.joined.pid) return;
  client.joined = LaunchedProcess{};
  client.deadline.reset();
  Ending ending;
  if (WIFSIGNALED(status)) {
    ending.signal = WTERMSIG(status);
  } else {
    ending.status = WEXITSTATUS(status);
  }
  Tell(client, ExitJson(ending));
  client.gone = true;
}

void Server::Tell(Client& client, const nlohmann::json& message) {
  if (!client.gone && !client.connection.Send(message)) OnClientGone(client);
}

void Server::Refuse(Client& client, std::string_view code, std::string_view message,
                    const std::vector<std::string>& rule_ids) {
  client.waits_for_agent = false;
  if (client.gone) return;
  (void)client.connection.Send(RefusedJson(code, message, rule_ids));
  client.gone = true;
}

Server::Client* Server::WaitingClient(std::int64_t request) {
  for (auto& [fd, client] : clients_) {
    if (client->request == request && client->waits_for_agent && !client->gone) return client.get();
  }
  return nullptr;
}

Server::Client* Server::ClientOf(const Session& session) {
  for (auto& [fd, client] : clients_) {
    if (client->request == session.Request() && !client->gone) return client.get();
  }
  return nullptr;
}

Session* Server::FindSession(const std::string& id) {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second.session.get();
}

std::vector<std::string> Weaknesses(bool personal) {
  if (!personal) return {};
  return {"session-joinable", "source-not-pinned-by-root", "no-remount", "agent-killable"};
}

}  // namespace sealway::sessiond
