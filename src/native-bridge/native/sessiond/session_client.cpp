// session-client: lends its standard streams to a sealed session and takes on its exit status.
//
// Layer: native sessiond, a program of its own that `sealway run` and `sealway open` start. It has
//   no rights: whatever it says, sessiond takes the user from the socket.
// Spec: docs/spec/sessiond-v1.md, "session-client -> sessiond".
// Exit status: the program's; 128 + signal; 1 after one line on standard error when refused or when
//   sessiond has gone; 2 for wrong usage.
#include <getopt.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "common/json_lines.h"
#include "common/unique_fd.h"
#include "sessiond/protocol.h"

extern char** environ;

namespace sealway::sessiond {
namespace {

using nlohmann::json;

constexpr const char* kUsage =
    "usage: session-client --socket PATH [--application ID] [--file FILE]… [--detach] [--user "
    "UID]\n"
    "                      [--] PROGRAM [ARGUMENT]…\n";

constexpr std::array kForwarded = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGUSR1,
                                   SIGUSR2, SIGTSTP, SIGCONT, SIGWINCH};

struct Options {
  std::string socket;
  json start;
};

[[noreturn]] void Usage(const char* problem) {
  std::fprintf(stderr, "session-client: %s\n%s", problem, kUsage);
  std::exit(2);
}

int Complain(const std::string& line) {
  std::fprintf(stderr, "sealway: %s\n", line.c_str());
  return 1;
}

json EnvironmentJson() {
  json variables = json::object();
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    variables[std::string(text.substr(0, equals))] = text.substr(equals + 1);
  }
  return variables;
}

std::string WorkingDirectory() {
  std::array<char, PATH_MAX> path;
  return ::getcwd(path.data(), path.size()) == nullptr ? "/" : path.data();
}

Options ParseOptions(int argc, char** argv) {
  static const option kLong[] = {
      {"socket", required_argument, nullptr, 's'}, {"application", required_argument, nullptr, 'a'},
      {"file", required_argument, nullptr, 'f'},   {"detach", no_argument, nullptr, 'd'},
      {"user", required_argument, nullptr, 'u'},   {nullptr, 0, nullptr, 0}};
  Options options;
  options.start = {{"type", "start"},        {"cwd", WorkingDirectory()},
                   {"application", nullptr}, {"files", json::array()},
                   {"detached", false},      {"environment", EnvironmentJson()}};
  // "+": stop at the program's name, its own options are not ours.
  for (int found; (found = ::getopt_long(argc, argv, "+", kLong, nullptr)) != -1;) {
    switch (found) {
      case 's':
        options.socket = optarg;
        break;
      case 'a':
        options.start["application"] = optarg;
        break;
      case 'f':
        options.start["files"].push_back(optarg);
        break;
      case 'd':
        options.start["detached"] = true;
        break;
      case 'u':
        options.start["asUser"] = std::strtoll(optarg, nullptr, 10);
        break;
      default:
        Usage("unknown option");
    }
  }
  if (options.socket.empty()) Usage("--socket is missing");
  if (optind >= argc) Usage("no program is named");
  options.start["argv"] = json::array();
  for (int i = optind; i < argc; ++i) options.start["argv"].push_back(argv[i]);
  return options;
}

UniqueFd Connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return UniqueFd();
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket &&
      ::connect(socket.Get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    socket.Reset();
    errno = error;
  }
  return socket;
}

// The first byte carries the three descriptors; a stream socket delivers them with it.
bool SendStart(int socket, const json& start) {
  // The environment may hold bytes that are no UTF-8: those variables could not be passed on.
  const std::string text = start.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  const std::array<int, 3> streams = {0, 1, 2};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof streams)> control{};
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof streams);
  std::memcpy(CMSG_DATA(rights), streams.data(), sizeof streams);
  ssize_t sent = ::sendmsg(socket, &header, MSG_NOSIGNAL);
  while (sent > 0 && static_cast<std::size_t>(sent) < part.iov_len) {
    part.iov_base = static_cast<char*>(part.iov_base) + sent;
    part.iov_len -= static_cast<std::size_t>(sent);
    sent = ::send(socket, part.iov_base, part.iov_len, MSG_NOSIGNAL);
  }
  return sent > 0;
}

void ForwardSignal(int socket, int signals) {
  signalfd_siginfo info{};
  if (::read(signals, &info, sizeof info) != sizeof info) return;
  const int number = static_cast<int>(info.ssi_signo);
  const std::string text = json{{"type", "signal"}, {"number", number}}.dump() + "\n";
  (void)!::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
  // The shell that started us sees us stop, as it would see the program itself. A SIGCONT that came
  // meanwhile would be thrown away by the stop, and nobody would send another.
  sigset_t pending;
  if (number == SIGTSTP && ::sigpending(&pending) == 0 && sigismember(&pending, SIGCONT) == 0) {
    ::raise(SIGSTOP);
  }
}

// The exit status once the session is over.
std::optional<int> OnMessage(const std::string& line, bool detached) {
  const auto message = ParseJsonObject(line);
  if (!message) return Complain("sessiond sent something that is no message");
  const std::string type = message->value("type", "");
  if (type == "refused") return Complain(message->value("message", "refused"));
  if (type == "started" && detached) return 0;
  if (type != "exit") return std::nullopt;
  if (message->contains("signal")) return 128 + message->value("signal", 0);
  return message->value("status", 1);
}

int Converse(int socket, int signals, bool detached) {
  LineReader reader(kMaxLineBytes);
  for (;;) {
    std::array<pollfd, 2> waiting = {pollfd{socket, POLLIN, 0}, pollfd{signals, POLLIN, 0}};
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) return 1;
    if (waiting[1].revents != 0) ForwardSignal(socket, signals);
    if (waiting[0].revents == 0) continue;
    std::array<char, 65536> bytes;
    const ssize_t got = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Complain("the session ended without a word: sessiond has gone");
    reader.Append({bytes.data(), static_cast<std::size_t>(got)});
    for (std::string line; reader.Next(&line) == LineReader::State::kLine;) {
      if (const auto status = OnMessage(line, detached)) return *status;
    }
  }
}

int Main(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kForwarded) sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  const UniqueFd signals(::signalfd(-1, &set, SFD_CLOEXEC));
  const UniqueFd socket = Connect(options.socket);
  if (!socket) {
    return Complain(std::string("sealed sessions are not available here: ") + std::strerror(errno));
  }
  if (!SendStart(socket.Get(), options.start)) return Complain("sessiond does not answer");
  return Converse(socket.Get(), signals.Get(), options.start["detached"].get<bool>());
}

}  // namespace
}  // namespace sealway::sessiond

int main(int argc, char** argv) { return sealway::sessiond::Main(argc, argv); }
