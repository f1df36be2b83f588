// sessiond: starts sealed sessions for the users of this machine.
//
// Layer: native sessiond, composition root. Threads: one.
// Spec: docs/spec/sessiond-v1.md.
#include <fcntl.h>
#include <getopt.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "sessiond/seccomp_filter.h"
#include "sessiond/server.h"

namespace sealway::sessiond {
namespace {

constexpr const char* kUsage =
    "usage: sessiond --listen PATH --control-fd N [--personal] [--run-dir DIR]\n"
    "                [--bwrap PATH] [--dbus-proxy PATH] [--max-sessions N]\n"
    "  --listen PATH       socket for session-clients\n"
    "  --control-fd N      inherited stream socket to the agent\n"
    "  --personal          as an ordinary user, without root\n"
    "  --run-dir DIR       for the sessions' bus sockets; default: the folder of PATH\n"
    "  --max-sessions N    sessions a user may have at a time; default 32\n";

struct Options {
  std::string listen;
  int control_fd = -1;
  Host host;
  ServerLimits limits;
};

std::optional<int> ParseNumber(const char* text, int max) {
  char* end = nullptr;
  errno = 0;
  const long number = std::strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || number < 0 || number > max) return std::nullopt;
  return static_cast<int>(number);
}

[[noreturn]] void Usage(const char* problem) {
  std::fprintf(stderr, "sessiond: %s\n%s", problem, kUsage);
  std::exit(2);
}

Options ParseOptions(int argc, char** argv) {
  static const option kLong[] = {{"listen", required_argument, nullptr, 'l'},
                                 {"control-fd", required_argument, nullptr, 'c'},
                                 {"personal", no_argument, nullptr, 'p'},
                                 {"run-dir", required_argument, nullptr, 'r'},
                                 {"bwrap", required_argument, nullptr, 'b'},
                                 {"dbus-proxy", required_argument, nullptr, 'd'},
                                 {"max-sessions", required_argument, nullptr, 'm'},
                                 {"help", no_argument, nullptr, 'h'},
                                 {nullptr, 0, nullptr, 0}};
  Options options;
  options.host.bwrap = "/usr/bin/bwrap";
  options.host.dbus_proxy = "/usr/bin/xdg-dbus-proxy";
  for (int found; (found = ::getopt_long(argc, argv, "", kLong, nullptr)) != -1;) {
    const auto number = [] {
      const auto parsed = ParseNumber(optarg, 1 << 20);
      if (!parsed) Usage("not a number");
      return *parsed;
    };
    switch (found) {
      case 'l':
        options.listen = optarg;
        break;
      case 'c':
        options.control_fd = number();
        break;
      case 'p':
        options.host.personal = true;
        break;
      case 'r':
        options.host.run_directory = optarg;
        break;
      case 'b':
        options.host.bwrap = optarg;
        break;
      case 'd':
        options.host.dbus_proxy = optarg;
        break;
      case 'm':
        options.limits.sessions_per_user = static_cast<std::size_t>(number());
        break;
      case 'h':
        std::fputs(kUsage, stdout);
        std::exit(0);
      default:
        std::fputs(kUsage, stderr);
        std::exit(2);
    }
  }
  if (optind != argc) Usage("there is an argument too many");
  if (options.listen.empty() || options.listen.front() != '/') Usage("--listen needs a full path");
  if (options.control_fd < 3) Usage("--control-fd is missing");
  if (options.host.run_directory.empty()) {
    options.host.run_directory = options.listen.substr(0, options.listen.rfind('/'));
  }
  return options;
}

Result<UniqueFd> Listen(const std::string& path, bool personal) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Fail(ErrorCode::kInvalid, "the path of the socket is longer than 107 bytes");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return FailErrno(errno, "socket");
  // An earlier sessiond, still there for its sessions, listens on it no more.
  ::unlink(path.c_str());
  // The mode is there from the start: with chmod afterwards anybody could come in between.
  const mode_t old = ::umask(personal ? 0177 : 0111);
  const int rc = ::bind(socket.Get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(old);
  if (rc != 0) return FailErrno(error, "bind the socket: " + std::string(std::strerror(error)));
  if (::listen(socket.Get(), 64) != 0) return FailErrno(errno, "listen");
  return socket;
}

UniqueFd BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

// In service mode these run before the user's rights are taken on or decide what a session is:
// nobody but root may be able to change them.
Status CheckProgram(const std::string& path, bool personal) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || ::access(path.c_str(), X_OK) != 0) {
    return FailErrno(errno, path + " is not there or cannot be executed; install bubblewrap");
  }
  if (!personal && (info.st_uid != 0 || (info.st_mode & 022) != 0)) {
    return Fail(ErrorCode::kInvalid, path + " must belong to root and be writable by nobody else");
  }
  return OkStatus();
}

int Stop(const Error& error) {
  std::fprintf(stderr, "sessiond: %s\n", error.detail.c_str());
  return 1;
}

int Main(int argc, char** argv) {
  Options options = ParseOptions(argc, argv);
  if (!options.host.personal && ::geteuid() != 0) Usage("service mode needs root; see --personal");
  if (options.host.personal && ::geteuid() == 0) Usage("personal mode is not for root");
  // Sessions' descriptors pass through here.
  ::prctl(PR_SET_DUMPABLE, 0);
  if (const auto status = CheckProgram(options.host.bwrap, options.host.personal); !status) {
    return Stop(status.GetError());
  }
  auto program = BuildSeccompProgram();
  if (!program) return Stop(program.GetError());
  options.host.seccomp_program = std::move(*program);
  UniqueFd control(options.control_fd);
  if (::fcntl(control.Get(), F_SETFD, FD_CLOEXEC) != 0) Usage("--control-fd is not open");
  UniqueFd signals = BlockSignals();
  auto listener = Listen(options.listen, options.host.personal);
  if (!listener) return Stop(listener.GetError());
  Server server(std::move(options.host), options.limits, std::move(*listener), std::move(control),
                std::move(signals));
  server.Run();
  return 0;
}

}  // namespace
}  // namespace sealway::sessiond

int main(int argc, char** argv) { return sealway::sessiond::Main(argc, argv); }
