// The control socket. Layer: sealfs.
#include "sealfs/control_server.h"

#include <openssl/crypto.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace sealway::sealfs {
namespace {

constexpr int kTickMs = 200;
// Answers come first: events are only added while little is waiting to be sent.
constexpr std::size_t kEventsAtOnce = std::size_t{256} * 1024;
constexpr std::size_t kReadBytes = std::size_t{64} * 1024;

bool IsOwnUser(int fd) {
  struct ucred peer {};
  socklen_t size = sizeof(peer);
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

}  // namespace

Status ControlServer::Start(const std::string& path, EventSpool* spool, Hooks hooks) {
  spool_ = spool;
  hooks_ = std::move(hooks);
  path_ = path;
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path))
    return FailErrno(ENAMETOOLONG, "control path too long");
  std::memcpy(address.sun_path, path.data(), path.size());
  listener_.Reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener_) return FailErrno(errno, "cannot make the control socket");
  (void)::unlink(path.c_str());
  const mode_t old = ::umask(0177);
  const int bound =
      ::bind(listener_.Get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int bind_errno = errno;
  ::umask(old);
  if (bound != 0) return FailErrno(bind_errno, "cannot bind the control socket");
  if (::listen(listener_.Get(), 4) != 0) return FailErrno(errno, "cannot listen");
  wake_.Reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_) return FailErrno(errno, "cannot make an event descriptor");
  thread_ = std::thread([this] { Run(); });
  return OkStatus();
}

void ControlServer::Stop() {
  stop_ = true;
  Wake();
  if (thread_.joinable()) thread_.join();
  if (listener_) (void)::unlink(path_.c_str());
  listener_.Reset();
}

void ControlServer::Wake() {
  const std::uint64_t one = 1;
  if (wake_) (void)!::write(wake_.Get(), &one, sizeof(one));
}

void ControlServer::Later(std::uint64_t connection, std::int64_t id, Answer answer) {
  {
    const std::lock_guard lock(late_mutex_);
    late_.push_back({connection, id, std::move(answer)});
  }
  Wake();
}

void ControlServer::Run() {
  while (!stop_) {
    if (client_.fd) FillEvents();
    const auto wanted = static_cast<short>(client_.out.empty() ? POLLIN : POLLIN | POLLOUT);
    std::array<pollfd, 3> polls = {pollfd{listener_.Get(), POLLIN, 0},
                                   pollfd{wake_.Get(), POLLIN, 0},
                                   pollfd{client_.fd.Get(), wanted, 0}};
    (void)::poll(polls.data(), polls.size(), kTickMs);
    std::uint64_t count = 0;
    if ((polls[1].revents & POLLIN) != 0) (void)!::read(wake_.Get(), &count, sizeof(count));
    if (client_.fd && (polls[2].revents & (POLLIN | POLLHUP | POLLERR)) != 0) ReadClient();
    TakeLateAnswers();
    if (client_.fd && !client_.out.empty()) WriteClient();
    if ((polls[0].revents & POLLIN) != 0) Accept();
    hooks_.tick();
  }
  // The answer to `unmount` leaves before the process does.
  TakeLateAnswers();
  if (client_.fd) WriteClient();
}

void ControlServer::Accept() {
  UniqueFd fd(::accept4(listener_.Get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd || !IsOwnUser(fd.Get())) return;
  if (client_.fd) Disconnect();
  client_ = Client{};
  client_.fd = std::move(fd);
  client_.number = ++connections_;
}

void ControlServer::Disconnect() {
  const bool greeted = client_.greeted;
  OPENSSL_cleanse(client_.in.data(), client_.in.size());
  client_ = Client{};
  if (greeted) hooks_.connected(false);
}

void ControlServer::ReadClient() {
  std::array<char, kReadBytes> bytes;
  const ssize_t got = ::read(client_.fd.Get(), bytes.data(), bytes.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return Disconnect();
  if (client_.closing) return;
  client_.in.append(bytes.data(), static_cast<std::size_t>(got));
  OPENSSL_cleanse(bytes.data(), static_cast<std::size_t>(got));
  std::size_t at = 0;
  for (auto end = client_.in.find('\n', at); end != std::string::npos && !client_.closing;
       end = client_.in.find('\n', at)) {
    HandleLine(std::string_view(client_.in).substr(at, end - at));
    at = end + 1;
  }
  OPENSSL_cleanse(client_.in.data(), at);
  client_.in.erase(0, at);
  if (client_.in.size() > kMaxLineBytes) {
    Queue({{"code", "E_USAGE"}, {"detail", "line too long"}}, std::nullopt);
    client_.closing = true;
  }
}

void ControlServer::HandleLine(std::string_view line) {
  ++client_.lines;
  auto request = ParseRequest(line);
  if (!request) {
    const auto where = "line " + std::to_string(client_.lines) + ": ";
    Queue({{"code", "E_USAGE"}, {"detail", where + request.GetError().detail}}, std::nullopt);
    client_.closing = true;
    return;
  }
  const bool hello = std::holds_alternative<HelloRequest>(request->body);
  if (hello && !client_.greeted) {
    client_.greeted = true;
    hooks_.connected(true);
  }
  const std::int64_t id = request->id;
  if (auto answer = hooks_.handle(*request, client_.number)) Queue(*answer, id);
}

void ControlServer::Queue(const Answer& answer, std::optional<std::int64_t> id) {
  Answer line = answer;
  line["type"] = answer.contains("code") ? "error" : "ok";
  line["id"] = id ? nlohmann::json(*id) : nlohmann::json(nullptr);
  client_.out += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

void ControlServer::TakeLateAnswers() {
  std::vector<Late> late;
  {
    const std::lock_guard lock(late_mutex_);
    late.swap(late_);
  }
  for (const auto& item : late) {
    if (client_.fd && item.connection == client_.number) Queue(item.answer, item.id);
  }
}

void ControlServer::FillEvents() {
  if (!client_.greeted || client_.closing || client_.out.size() >= kEventsAtOnce) return;
  std::uint64_t last = 0;
  const auto lines = spool_->ReadAfter(client_.sent_event, kEventsAtOnce, &last);
  if (lines.empty()) return;
  client_.out += lines;
  client_.sent_event = last;
}

void ControlServer::WriteClient() {
  const ssize_t put =
      ::send(client_.fd.Get(), client_.out.data(), client_.out.size(), MSG_NOSIGNAL);
  if (put < 0) {
    if (errno != EAGAIN && errno != EINTR) Disconnect();
    return;
  }
  client_.out.erase(0, static_cast<std::size_t>(put));
  if (client_.closing && client_.out.empty()) Disconnect();
}

}  // namespace sealway::sealfs
