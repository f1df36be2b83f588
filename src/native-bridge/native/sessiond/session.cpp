// A sealed session's processes: see session.h.
//
// Layer: native sessiond.
#include "sessiond/session.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sessiond/bwrap_arguments.h"
#include "sessiond/seccomp_filter.h"

namespace sealway::sessiond {
namespace {

using std::chrono::seconds;

// An agent that is silent for longer is taken for dead; people see an error and not a hung desktop.
constexpr seconds kStartLimit{10};
// Between the polite and the certain end.
constexpr seconds kTerminateLimit{5};
constexpr std::size_t kMaxInfoBytes = 4096;
constexpr std::size_t kMaxErrorBytes = 4096;

struct PipeEnds {
  UniqueFd read;
  UniqueFd write;
};

Result<PipeEnds> MakePipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return FailErrno(errno, "pipe2");
  return PipeEnds{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::vector<std::string> EnvironmentList(const Environment& environment) {
  std::vector<std::string> list;
  for (const auto& [name, value] : environment) list.push_back(name + "=" + value);
  return list;
}

UniqueFd OpenPidfd(pid_t pid) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

// The device of `fd` without asking its file system, which may be one that no longer answers.
Result<std::uint64_t> DeviceOf(int fd) {
  struct statx info {};
  if (::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &info) != 0) {
    return FailErrno(errno, "statx");
  }
  return static_cast<std::uint64_t>(makedev(info.stx_dev_major, info.stx_dev_minor));
}

// A socket whose other end reads as an empty file.
Result<PipeEnds> MakeSetupSocket() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return FailErrno(errno, "socketpair");
  }
  ::shutdown(ends[0], SHUT_WR);
  return PipeEnds{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// A process closes its descriptors before its pidfd tells that it has ended.
bool IsExiting(pid_t pid) {
  constexpr unsigned long kPfExiting = 0x4;
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return true;
  // The name may hold anything; the fields go on behind its last parenthesis.
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string skipped;
  unsigned long flags = 0;
  for (int i = 0; i < 6; ++i) fields >> skipped;
  return !(fields >> flags) || (flags & kPfExiting) != 0;
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Session::Session(const Host& host, Peer user, SessionGrant grant, std::int64_t request)
    : host_(host), user_(std::move(user)), grant_(std::move(grant)), request_(request) {}

Session::~Session() {
  if (!proxy_directory_.empty()) {
    ::unlink((proxy_directory_ + "/bus").c_str());
    ::rmdir(proxy_directory_.c_str());
  }
}

void Session::Begin(const SessionStreams& streams) {
  umask_ = streams.umask;
  deadline_ = Clock::now() + kStartLimit;
  if (grant_.stdio == Stdio::kPass) {
    for (int i = 0; i < 3; ++i) {
      if (streams.fds[i] >= 0) {
        streams_[i].Reset(::fcntl(streams.fds[i], F_DUPFD_CLOEXEC, 0));
      }
    }
  }
  const Status opened = OpenSources();
  if (!opened) return Fail("E_SESSION_FOLDER", opened.GetError().detail);
  const Status status = grant_.dbus ? StartProxy() : StartBwrap();
  if (!status) Fail("E_SESSION_START", status.GetError().detail);
}

Status Session::OpenSources() {
  for (const Bind& bind : grant_.binds) {
    if (!bind.device) continue;
    UniqueFd fd(::open(bind.source.c_str(), O_PATH | O_CLOEXEC));
    if (!fd) return FailErrno(errno, "a protected folder cannot be opened");
    const auto device = DeviceOf(fd.Get());
    if (!device) return FailErrno(device.GetError().sys_errno, "a protected folder is not served");
    if (*device != *bind.device) {
      return sealway::Fail(ErrorCode::kInvalid,
                           "a protected folder is not mounted where it should be");
    }
    sources_.emplace_back(bind.source, std::move(fd));
  }
  return OkStatus();
}

Status Session::StartProxy() {
  const std::string directory = host_.run_directory + "/" + grant_.id;
  if (::mkdir(directory.c_str(), 0700) != 0) return FailErrno(errno, "make the bus directory");
  proxy_directory_ = directory;
  if (!host_.personal && ::chown(directory.c_str(), user_.uid, user_.gid) != 0) {
    return FailErrno(errno, "give the bus directory to the user");
  }
  auto ready = MakePipe();
  if (!ready) return ready.GetError();
  LaunchPlan plan;
  plan.user = user_;
  plan.personal = host_.personal;
  plan.program = host_.dbus_proxy;
  plan.argv = {"xdg-dbus-proxy", "--fd=" + std::to_string(kFirstKeptFd), grant_.dbus->address,
               directory + "/bus", "--filter"};
  for (const std::string& name : grant_.dbus->talk) plan.argv.push_back("--talk=" + name);
  plan.environment = {"PATH=/usr/bin:/bin"};
  plan.kept = {ready->write.Get()};
  auto launched = Launch(plan);
  if (!launched) return launched.GetError();
  proxy_ = std::move(*launched);
  proxy_ready_ = std::move(ready->read);
  phase_ = Phase::kWaitProxy;
  return OkStatus();
}

Status Session::StartBwrap() {
  auto info = MakePipe();
  auto block = MakePipe();
  auto errors = MakePipe();
  auto setup = MakeSetupSocket();
  auto seccomp = MemoryFile("seccomp", host_.seccomp_program);
  if (!info || !block || !errors || !setup || !seccomp) return FailErrno(errno, "make pipes");

  LaunchPlan plan;
  plan.kept = {seccomp->Get(), info->write.Get(), block->read.Get(), setup->write.Get()};
  BwrapDescriptors numbers{
      kFirstKeptFd, kFirstKeptFd + 1, kFirstKeptFd + 2, kFirstKeptFd + 3, {}, {}};
  if (!proxy_directory_.empty()) numbers.dbus_socket = proxy_directory_ + "/bus";
  for (const auto& [path, fd] : sources_) {
    numbers.sources[path] = kFirstKeptFd + static_cast<int>(plan.kept.size());
    plan.kept.push_back(fd.Get());
  }
  auto options = MemoryFile("options", JoinWithNul(BwrapOptions(grant_, numbers)));
  if (!options) return options.GetError();
  const int options_fd = kFirstKeptFd + static_cast<int>(plan.kept.size());
  plan.kept.push_back(options->Get());

  plan.user = user_;
  plan.personal = host_.personal;
  plan.umask = umask_;
  plan.program = host_.bwrap;
  // Options by descriptor and the environment by execve: a command line is there for all to read.
  plan.argv = {"bwrap", "--args", std::to_string(options_fd), "--"};
  plan.argv.insert(plan.argv.end(), grant_.argv.begin(), grant_.argv.end());
  plan.environment = EnvironmentList(grant_.environment);
  for (int i = 0; i < 3; ++i) plan.stdio[i] = streams_[i].Get();
  if (grant_.stdio == Stdio::kNone) plan.stdio[2] = errors->write.Get();

  auto launched = Launch(plan);
  if (!launched) return launched.GetError();
  bwrap_ = std::move(*launched);
  info_ = std::move(info->read);
  setup_ = std::move(setup->read);
  block_ = std::move(block->write);
  errors_ = std::move(errors->read);
  for (UniqueFd& stream : streams_) stream.Reset();
  sources_.clear();
  phase_ = Phase::kWaitInfo;
  return OkStatus();
}

void Session::Watch(Poller& poller) {
  if (phase_ == Phase::kEnded) return;
  if (phase_ == Phase::kWaitProxy) {
    poller.Add(proxy_ready_.Get(), POLLIN, [this](short) { OnProxyReady(); });
  }
  if (info_) poller.Add(info_.Get(), POLLIN, [this](short) { OnInfo(); });
  if (setup_) poller.Add(setup_.Get(), POLLIN, [this](short) { OnSetup(); });
  if (errors_) poller.Add(errors_.Get(), POLLIN, [this](short) { OnStderr(); });
  if (bwrap_.pidfd) poller.Add(bwrap_.pidfd.Get(), POLLIN, [this](short) { OnBwrapExit(); });
  poller.WakeBy(deadline_);
}

void Session::OnProxyReady() {
  char byte = 0;
  if (::read(proxy_ready_.Get(), &byte, 1) != 1) {
    return Fail("E_SESSION_START", "the D-Bus proxy did not start");
  }
  if (const Status status = StartBwrap(); !status) {
    Fail("E_SESSION_START", status.GetError().detail);
  }
}

void Session::OnInfo() {
  std::array<char, 512> bytes;
  const ssize_t got = ::read(info_.Get(), bytes.data(), bytes.size());
  if (got > 0 && info_text_.size() < kMaxInfoBytes) {
    info_text_.append(bytes.data(), static_cast<std::size_t>(got));
    return;
  }
  info_.Reset();
  const auto info = nlohmann::json::parse(info_text_, nullptr, false);
  const auto pid =
      info.is_object() && info.contains("child-pid") ? info["child-pid"] : nlohmann::json();
  // Without it bwrap failed; its exit, which follows, has the reason.
  if (!pid.is_number_integer()) return;
  if (const Status status = Inspect(pid.get<pid_t>()); !status) {
    return Fail("E_SESSION_START", status.GetError().detail);
  }
  AdvanceToGo();
}

void Session::OnSetup() {
  setup_.Reset();
  AdvanceToGo();
}

// Both the first process is known and every place has been laid. When bwrap failed in between, its
// exit is on the way and has the reason.
void Session::AdvanceToGo() {
  if (phase_ != Phase::kWaitInfo || first_pid_ < 0 || setup_ || IsExiting(first_pid_)) return;
  phase_ = Phase::kWaitGo;
  deadline_ = Clock::now() + kStartLimit;
}

Status Session::Inspect(pid_t first) {
  first_pid_ = first;
  first_pidfd_ = OpenPidfd(first);
  const std::string path = "/proc/" + std::to_string(first) + "/ns/mnt";
  // Held until the agent has withdrawn the registration: the kernel gives the number of a
  // namespace that is gone to the next one, which could be anybody's.
  mount_namespace_fd_.Reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!first_pidfd_ || !mount_namespace_fd_ || ::fstat(mount_namespace_fd_.Get(), &info) != 0) {
    // It has gone already: bwrap failed, and its exit, which follows, has the reason.
    if (errno == ESRCH || errno == ENOENT) {
      first_pid_ = -1;
      return OkStatus();
    }
    return FailErrno(errno, "look at the session's first process");
  }
  mount_namespace_ = info.st_ino;
  // Counted per user namespace, so this is the session's own number and not the user's. Set here
  // because before the namespace exists it would count what the user runs outside.
  const auto processes = static_cast<rlim_t>(grant_.processes);
  const rlimit limit{processes, processes};
  if (::prlimit(first, RLIMIT_NPROC, &limit, nullptr) != 0) {
    return FailErrno(errno, "limit the processes");
  }
  return OkStatus();
}

void Session::OnStderr() {
  std::array<char, 4096> bytes;
  const ssize_t got = ::read(errors_.Get(), bytes.data(), bytes.size());
  if (got <= 0) return errors_.Reset();
  // Once the program runs this may be plaintext: it is drained, so that the program does not
  // block, and kept nowhere.
  if (phase_ == Phase::kRunning || errors_text_.size() >= kMaxErrorBytes) return;
  errors_text_.append(bytes.data(), static_cast<std::size_t>(got));
}

void Session::OnBwrapExit() {
  if (errors_ && phase_ != Phase::kRunning) OnStderr();
  int status = 0;
  if (::waitpid(bwrap_.pid, &status, WNOHANG) != bwrap_.pid) return;
  bwrap_.pid = -1;
  if (phase_ != Phase::kRunning && ending_.error_code.empty()) {
    const std::string said = FirstLine(errors_text_);
    return Fail("E_SESSION_START", said.empty() ? "bubblewrap could not make the session" : said);
  }
  if (ending_.error_code.empty()) {
    if (WIFSIGNALED(status)) {
      ending_.signal = WTERMSIG(status);
    } else {
      ending_.status = WEXITSTATUS(status);
    }
  }
  End();
}

void Session::Go() {
  if (phase_ != Phase::kWaitGo) return;
  const char byte = 'G';
  if (::write(block_.Get(), &byte, 1) != 1) return;  // bwrap is gone; its exit is on the way
  block_.Reset();
  phase_ = Phase::kRunning;
  deadline_.reset();
  errors_text_.clear();
}

void Session::Signal(int number) const {
  if (phase_ != Phase::kRunning || first_pid_ < 0) return;
  // The descriptor tells whether the number is still the session's.
  if (::syscall(SYS_pidfd_send_signal, first_pidfd_.Get(), 0, nullptr, 0) != 0) return;
  ::kill(-first_pid_, number == SIGTSTP ? SIGSTOP : number);
}

void Session::Terminate() {
  if (phase_ == Phase::kEnded) return;
  if (phase_ != Phase::kRunning) return Fail("E_SESSION_CANCELLED", "the session was cancelled");
  Signal(SIGTERM);
  Signal(SIGCONT);  // a stopped program could not answer the first
  if (!deadline_) deadline_ = Clock::now() + kTerminateLimit;
}

void Session::CheckDeadline() {
  if (!deadline_ || Clock::now() < *deadline_) return;
  deadline_.reset();
  if (phase_ != Phase::kRunning) {
    return Fail("E_SESSION_TIMEOUT", "the session was not ready within ten seconds");
  }
  // The first process of the pid namespace takes all others with it.
  ::syscall(SYS_pidfd_send_signal, first_pidfd_.Get(), SIGKILL, nullptr, 0);
}

void Session::Fail(std::string code, std::string message) {
  ending_ = Ending{};
  ending_.error_code = std::move(code);
  ending_.error_message = std::move(message);
  End();
}

void Session::End() {
  if (bwrap_.pid > 0) {
    ::kill(bwrap_.pid, SIGKILL);
    ::waitpid(bwrap_.pid, nullptr, 0);
    bwrap_.pid = -1;
  }
  proxy_ready_.Reset();
  if (proxy_.pid > 0) {
    ::kill(proxy_.pid, SIGKILL);
    ::waitpid(proxy_.pid, nullptr, 0);
    proxy_.pid = -1;
  }
  bwrap_.pidfd.Reset();
  info_.Reset();
  setup_.Reset();
  block_.Reset();
  errors_.Reset();
  deadline_.reset();
  phase_ = Phase::kEnded;
}

}  // namespace sealway::sessiond
