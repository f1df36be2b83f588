// Starts a program as another user in a user namespace that root owns.
//
// Layer: native sessiond. Threads: forks, so the caller has one thread.
// Spec: docs/spec/sessiond-v1.md, "Shape of a session", steps 1 and 2.
// Kernel rule: a process may be traced, and its /proc/PID/{root,mem,fd,…} followed, only with
//   CAP_SYS_PTRACE in its user namespace. Whoever *owns* a namespace has all capabilities in it, so
//   the employee must not be the owner, though every process inside carries the employee's uid.
#ifndef SEALWAY_SESSIOND_LAUNCHER_H_
#define SEALWAY_SESSIOND_LAUNCHER_H_

#include <string>
#include <vector>

#include "common/result.h"
#include "common/unique_fd.h"
#include "sessiond/protocol.h"

namespace sealway::sessiond {

// Where kept descriptors start in the new program: kept[i] becomes kFirstKeptFd + i.
inline constexpr int kFirstKeptFd = 3;

struct LaunchPlan {
  Peer user;
  bool personal = false;  // no namespace of its own, no change of user
  mode_t umask = 022;
  std::string program;  // absolute path
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // NAME=value
  int stdio[3] = {-1, -1, -1};           // borrowed; -1: /dev/null
  std::vector<int> kept;                 // borrowed
};

struct LaunchedProcess {
  pid_t pid = -1;
  UniqueFd pidfd;  // readable once the process has ended
};

// Returns when the program has been executed. kIo names the step that failed.
[[nodiscard]] Result<LaunchedProcess> Launch(const LaunchPlan& plan);

}  // namespace sealway::sessiond

#endif  // SEALWAY_SESSIOND_LAUNCHER_H_
