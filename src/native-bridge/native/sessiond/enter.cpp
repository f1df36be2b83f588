// Going into a session: see enter.h.
//
// Layer: native sessiond.
#include "sessiond/enter.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <poll.h>
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

constexpr int kAllNamespaces = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET |
                               CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
// A mount that hangs must not hang every user's sessions with it.
constexpr int kRemountLimitMs = 5000;

struct Report {
  char step[32];
  int error;
  pid_t pid;
};

void Send(int channel, const char* step, int error, pid_t pid = 0) {
  Report report{};
  std::strncpy(report.step, step, sizeof report.step - 1);
  report.error = error;
  report.pid = pid;
  (void)!::write(channel, &report, sizeof report);
}

[[noreturn]] void Die(int channel, const char* step) {
  Send(channel, step, errno);
  ::_exit(127);
}

bool DropCapabilities() {
  for (int capability = 0; capability <= 63; ++capability) {
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno == EINVAL) break;
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  return ::syscall(SYS_capset, &header, data) == 0;
}

void ApplyFilter(const std::string& program, int channel) {
  sock_fprog filter{};
  filter.len = static_cast<unsigned short>(program.size() / sizeof(sock_filter));
  filter.filter = reinterpret_cast<sock_filter*>(const_cast<char*>(program.data()));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) Die(channel, "no new privileges");
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) Die(channel, "filter");
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

struct JoinPlan {
  const Session& session;
  const Host& host;
  const JoinMessage& join;
  std::vector<std::string> environment;
  const SessionStreams& streams;
};

void ArrangeStreams(const JoinPlan& plan, int* channel) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  int moved[3];
  for (int i = 0; i < 3; ++i) {
    const bool pass = plan.join.stdio == Stdio::kPass && plan.streams.fds[i] >= 0;
    moved[i] = ::fcntl(pass ? plan.streams.fds[i] : null, F_DUPFD_CLOEXEC, 512);
  }
  const int moved_channel = ::fcntl(*channel, F_DUPFD_CLOEXEC, 512);
  for (int i = 0; i < 3; ++i) {
    if (moved[i] < 0 || ::dup2(moved[i], i) < 0) Die(*channel, "arrange descriptors");
  }
  if (::dup3(moved_channel, 3, O_CLOEXEC) < 0) Die(*channel, "arrange descriptors");
  *channel = 3;
  ::syscall(SYS_close_range, 4, ~0U, 0);
}

[[noreturn]] void RunJoined(const JoinPlan& plan, int channel) {
  const Peer& user = plan.session.User();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::setsid() < 0) Die(channel, "setsid");
  if (!plan.host.personal && ::setresgid(user.gid, user.gid, user.gid) != 0) {
    Die(channel, "setresgid");
  }
  if (!plan.host.personal && ::setresuid(user.uid, user.uid, user.uid) != 0) {
    Die(channel, "setresuid");
  }
  if (!DropCapabilities()) Die(channel, "drop capabilities");
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::umask(plan.streams.umask);
  const auto processes = static_cast<rlim_t>(plan.session.Grant().processes);
  const rlimit limits[] = {{1, 1}, {processes, processes}};
  ::setrlimit(RLIMIT_CORE, &limits[0]);
  ::setrlimit(RLIMIT_NPROC, &limits[1]);
  if (::chdir(plan.join.cwd.c_str()) != 0) Die(channel, "chdir");
  ArrangeStreams(plan, &channel);
  sigset_t none;
  sigemptyset(&none);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const auto argv = Pointers(plan.join.argv);
  const auto environment = Pointers(plan.environment);
  ApplyFilter(plan.host.seccomp_program, channel);
  ::execve(argv.front(), argv.data(), environment.data());
  Die(channel, "execute");
}

// A pid namespace holds for children only, so one more fork; CLONE_PARENT makes the grandchild
// the caller's own child, whom it can wait for.
[[noreturn]] void EnterAndFork(const JoinPlan& plan, int channel) {
  const Peer& user = plan.session.User();
  // While still in the first namespace: groups need no mapping here.
  if (!plan.host.personal && ::setgroups(user.groups.size(), user.groups.data()) != 0) {
    Die(channel, "setgroups");
  }
  if (::setns(plan.session.FirstPidfd().Get(), kAllNamespaces) != 0) Die(channel, "setns");
  const auto pid = static_cast<pid_t>(
      ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  if (pid < 0) Die(channel, "clone");
  if (pid == 0) RunJoined(plan, channel);
  Send(channel, "pid", 0, pid);
  ::_exit(0);
}

struct Channel {
  UniqueFd ours;
  UniqueFd theirs;
};

Result<Channel> MakeChannel() {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    return FailErrno(errno, "socketpair");
  }
  return Channel{UniqueFd(pair[0]), UniqueFd(pair[1])};
}

// --- remount ---------------------------------------------------------------------------------

int OpenTree(const char* path) {
  return static_cast<int>(
      ::syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

struct RemountPlan {
  int mount_namespace_fd;
  const std::string& path;
  bool read_only;
};

[[noreturn]] void RunRemount(const RemountPlan& plan, int channel) {
  const std::string& path = plan.path;
  const int tree = OpenTree(path.c_str());
  if (tree < 0) Die(channel, "open_tree");
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  if (plan.read_only) attributes.attr_set |= MOUNT_ATTR_RDONLY;
  if (::syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    Die(channel, "mount_setattr");
  }
  if (::setns(plan.mount_namespace_fd, CLONE_NEWNS) != 0) Die(channel, "setns");
  // EINVAL: nothing is mounted there any more; the new mount goes onto the empty place.
  if (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL) {
    Die(channel, "umount2");
  }
  if (::syscall(SYS_move_mount, tree, "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    Die(channel, "move_mount");
  }
  Send(channel, "done", 0);
  ::_exit(0);
}

const Bind* GrantedFolder(const Session& session, const std::string& path) {
  for (const Bind& bind : session.Grant().binds) {
    if (bind.target == path && bind.source == path && bind.mode != BindMode::kTmpfs) return &bind;
  }
  return nullptr;
}

Status Remount(const RemountPlan& plan) {
  auto channel = MakeChannel();
  if (!channel) return channel.GetError();
  const pid_t helper = ::fork();
  if (helper < 0) return FailErrno(errno, "fork");
  if (helper == 0) {
    channel->ours.Reset();
    RunRemount(plan, channel->theirs.Get());
  }
  channel->theirs.Reset();
  pollfd waiting{channel->ours.Get(), POLLIN, 0};
  Report report{};
  const bool told = ::poll(&waiting, 1, kRemountLimitMs) == 1 &&
                    ::recv(channel->ours.Get(), &report, sizeof report, 0) == sizeof report;
  if (!told) {
    ::kill(helper, SIGKILL);
    return FailErrno(ETIMEDOUT, "the mount does not answer");
  }
  ::waitpid(helper, nullptr, 0);
  if (report.error != 0) {
    return FailErrno(report.error, std::string(report.step) + ": " + std::strerror(report.error));
  }
  return OkStatus();
}

}  // namespace

Result<LaunchedProcess> JoinSession(const Session& session, const Host& host,
                                    const JoinMessage& join, const SessionStreams& streams) {
  auto channel = MakeChannel();
  if (!channel) return channel.GetError();
  JoinPlan plan{session, host, join, {}, streams};
  for (const auto& [name, value] : join.environment) plan.environment.push_back(name + "=" + value);
  const pid_t between = ::fork();
  if (between < 0) return FailErrno(errno, "fork");
  if (between == 0) {
    channel->ours.Reset();
    EnterAndFork(plan, channel->theirs.Get());
  }
  channel->theirs.Reset();
  LaunchedProcess process;
  Status status = OkStatus();
  Report report{};
  // Reports end when the program has been executed: both copies of the channel are closed then.
  while (::recv(channel->ours.Get(), &report, sizeof report, 0) == sizeof report) {
    if (report.pid > 0) {
      process.pid = report.pid;
      process.pidfd.Reset(static_cast<int>(::syscall(SYS_pidfd_open, report.pid, 0)));
    } else {
      status = FailErrno(report.error, report.step);
    }
  }
  ::waitpid(between, nullptr, 0);
  if (status && process.pidfd) return process;
  if (process.pid > 0) ::waitpid(process.pid, nullptr, 0);
  return status ? FailErrno(ECHILD, "the program ended early") : status.GetError();
}

Status RemountInSession(const Session& session, const std::string& path) {
  const Bind* bind = GrantedFolder(session, path);
  if (bind == nullptr) return Fail(ErrorCode::kInvalid, "the session has no such folder");
  return Remount({session.MountNamespaceFd().Get(), path, bind->mode == BindMode::kReadOnly});
}

Status RemountInAdopted(const AdoptedSession& session, const std::string& path) {
  const std::string name = "/proc/" + std::to_string(session.pid) + "/ns/mnt";
  const UniqueFd mount_namespace(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!mount_namespace || ::fstat(mount_namespace.Get(), &info) != 0 ||
      info.st_ino != session.mount_namespace) {
    return Fail(ErrorCode::kInvalid, "the session has ended");
  }
  return Remount({mount_namespace.Get(), path, false});
}

}  // namespace sealway::sessiond
