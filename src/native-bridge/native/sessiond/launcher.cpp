// Starts a program in a root-owned user namespace: see launcher.h.
//
// Layer: native sessiond.
// Between fork and exec the child calls nothing that allocates or locks beyond what it needs; the
// parent has one thread, so that is a habit here and no necessity.
#include "sessiond/launcher.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace sealway::sessiond {
namespace {

// What the child tells its parent on the way: 'U' in its namespace, or a step that failed.
struct Report {
  char step[32];
  int error;
};

[[noreturn]] void Die(int channel, const char* step) {
  Report report{};
  report.error = errno;
  std::strncpy(report.step, step, sizeof report.step - 1);
  (void)!::write(channel, &report, sizeof report);
  ::_exit(127);
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

void ResetSignals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// A limit of 1 byte and not 0: the kernel runs a core_pattern pipe (systemd-coredump, apport)
// whatever the limit is, except for exactly 1.
void ForbidCoreDumps() {
  const rlimit limit{1, 1};
  ::setrlimit(RLIMIT_CORE, &limit);
}

bool DropCapabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  return ::syscall(SYS_capset, &header, data) == 0;
}

// Moves every kept descriptor out of the way first: their targets may hold another of them.
void ArrangeDescriptors(const LaunchPlan& plan, int channel) {
  const int base = 512;
  int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) Die(channel, "open /dev/null");
  const int moved_channel = ::fcntl(channel, F_DUPFD_CLOEXEC, base);
  std::vector<int> moved;
  for (int i = 0; i < 3; ++i) {
    moved.push_back(::fcntl(plan.stdio[i] < 0 ? null : plan.stdio[i], F_DUPFD_CLOEXEC, base));
  }
  for (const int fd : plan.kept) moved.push_back(::fcntl(fd, F_DUPFD_CLOEXEC, base));
  for (std::size_t i = 0; i < moved.size(); ++i) {
    if (moved[i] < 0 || ::dup2(moved[i], static_cast<int>(i)) < 0) {
      Die(moved_channel, "arrange descriptors");
    }
  }
  const int channel_at = static_cast<int>(moved.size());
  if (::dup3(moved_channel, channel_at, O_CLOEXEC) < 0) Die(moved_channel, "keep the channel");
  ::syscall(SYS_close_range, channel_at + 1, ~0U, 0);
}

// Becomes the user: groups while still in the first namespace, which needs no mapping for them,
// and the uid last.
void BecomeUser(const LaunchPlan& plan, int channel) {
  if (::setgroups(plan.user.groups.size(), plan.user.groups.data()) != 0) Die(channel, "setgroups");
  if (::setresgid(plan.user.gid, plan.user.gid, plan.user.gid) != 0) Die(channel, "setresgid");
  // A copy of the mounts that nothing reaches from outside any more: a medium that is mounted
  // later must not appear inside a session, where it would be writable.
  if (::unshare(CLONE_NEWNS) != 0) Die(channel, "unshare mounts");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    Die(channel, "make mounts private");
  }
  if (::unshare(CLONE_NEWUSER) != 0) Die(channel, "unshare users");
  char byte = 'U';
  if (::write(channel, &byte, 1) != 1 || ::read(channel, &byte, 1) != 1) ::_exit(127);
  if (::setresuid(plan.user.uid, plan.user.uid, plan.user.uid) != 0) Die(channel, "setresuid");
  // Uid 0 is not mapped here, so leaving it does not clear capabilities by itself.
  if (!DropCapabilities()) Die(channel, "drop capabilities");
}

[[noreturn]] void RunChild(const LaunchPlan& plan, int channel) {
  ResetSignals();
  ForbidCoreDumps();
  ::umask(plan.umask);
  if (::setsid() < 0) Die(channel, "setsid");
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!plan.personal) {
    BecomeUser(plan, channel);
    // A change of credentials clears it.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  }
  if (::chdir("/") != 0) Die(channel, "chdir");
  const int channel_at = static_cast<int>(kFirstKeptFd + plan.kept.size());
  ArrangeDescriptors(plan, channel);
  const auto argv = Pointers(plan.argv);
  const auto environment = Pointers(plan.environment);
  ::execve(plan.program.c_str(), argv.data(), environment.data());
  Die(channel_at, "execute");
}

Status WriteProcFile(pid_t pid, const char* name, const std::string& text) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + name;
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.Get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return FailErrno(errno, std::string("write ") + name);
  }
  return OkStatus();
}

std::string IdentityMap(std::uint32_t id) {
  return std::to_string(id) + " " + std::to_string(id) + " 1\n";
}

Status WriteMaps(pid_t pid, const Peer& user) {
  // Groups were set before; nobody inside may drop one, which could open what a group is denied.
  for (const auto& [name, text] : {std::pair<const char*, std::string>{"setgroups", "deny"},
                                   {"gid_map", IdentityMap(user.gid)},
                                   {"uid_map", IdentityMap(user.uid)}}) {
    if (auto status = WriteProcFile(pid, name, text); !status) return status;
  }
  return OkStatus();
}

// Follows the child to its exec, at which the channel closes by itself.
Status Shepherd(pid_t pid, int channel, const LaunchPlan& plan) {
  Report report{};
  ssize_t got = ::read(channel, &report, sizeof report);
  if (got == 1 && report.step[0] == 'U') {
    if (auto status = WriteMaps(pid, plan.user); !status) return status;
    if (::write(channel, "G", 1) != 1) return FailErrno(errno, "release the child");
    got = ::read(channel, &report, sizeof report);
  }
  if (got == 0) return OkStatus();
  if (got == sizeof report) return FailErrno(report.error, report.step);
  return FailErrno(got < 0 ? errno : EPIPE, "the child ended early");
}

}  // namespace

Result<LaunchedProcess> Launch(const LaunchPlan& plan) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return FailErrno(errno, "socketpair");
  }
  UniqueFd ours(pair[0]);
  UniqueFd theirs(pair[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return FailErrno(errno, "fork");
  if (pid == 0) {
    ours.Reset();
    RunChild(plan, theirs.Get());
  }
  theirs.Reset();
  LaunchedProcess process{pid, UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)))};
  Status status =
      process.pidfd ? Shepherd(pid, ours.Get(), plan) : Status(FailErrno(errno, "pidfd_open"));
  if (status) return process;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return status.GetError();
}

}  // namespace sealway::sessiond
