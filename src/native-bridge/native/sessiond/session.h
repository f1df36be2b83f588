// One sealed session from its grant to its end: the processes, not the conversation about them.
//
// Layer: native sessiond. Threads: one; driven by the server's poll loop and never blocks in it.
// Spec: docs/spec/sessiond-v1.md, "Shape of a session".
#ifndef SEALWAY_SESSIOND_SESSION_H_
#define SEALWAY_SESSIOND_SESSION_H_

#include <string>

#include "common/result.h"
#include "common/unique_fd.h"
#include "sessiond/launcher.h"
#include "sessiond/poller.h"
#include "sessiond/protocol.h"

namespace sealway::sessiond {

// What does not change from session to session.
struct Host {
  bool personal = false;
  std::string bwrap;            // absolute path
  std::string dbus_proxy;       // absolute path
  std::string run_directory;    // absolute path; holds the sessions' bus sockets
  std::string seccomp_program;  // BPF
};

struct SessionStreams {
  int fds[3] = {-1, -1, -1};  // borrowed for the start
  mode_t umask = 022;
};

class Session {
 public:
  enum class Phase : std::uint8_t { kWaitProxy, kWaitInfo, kWaitGo, kRunning, kEnded };

  Session(const Host& host, Peer user, SessionGrant grant, std::int64_t request);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Starts the processes. On failure the session is over and the ending has the reason.
  void Begin(const SessionStreams& streams);

  void Watch(Poller& poller);
  void CheckDeadline();

  // The program may run. Ignored in any phase but kWaitGo.
  void Go();
  // SIGTSTP becomes SIGSTOP: the session's process group has no parent in its terminal session,
  // and the kernel drops SIGTSTP for such groups.
  void Signal(int number) const;
  // SIGTERM, and SIGKILL for whatever is left after five seconds.
  void Terminate();

  [[nodiscard]] Phase GetPhase() const noexcept { return phase_; }
  [[nodiscard]] const Ending& GetEnding() const noexcept { return ending_; }
  [[nodiscard]] const SessionGrant& Grant() const noexcept { return grant_; }
  [[nodiscard]] const Peer& User() const noexcept { return user_; }
  [[nodiscard]] std::int64_t Request() const noexcept { return request_; }
  [[nodiscard]] pid_t FirstPid() const noexcept { return first_pid_; }
  [[nodiscard]] const UniqueFd& FirstPidfd() const noexcept { return first_pidfd_; }
  [[nodiscard]] const UniqueFd& MountNamespaceFd() const noexcept { return mount_namespace_fd_; }
  [[nodiscard]] std::uint64_t MountNamespace() const noexcept { return mount_namespace_; }

 private:
  [[nodiscard]] Status StartProxy();
  [[nodiscard]] Status StartBwrap();
  [[nodiscard]] Status OpenSources();
  void OnProxyReady();
  void OnInfo();
  void OnSetup();
  void AdvanceToGo();
  void OnStderr();
  void OnBwrapExit();
  [[nodiscard]] Status Inspect(pid_t first);
  void Fail(std::string code, std::string message);
  void End();

  const Host& host_;
  Peer user_;
  SessionGrant grant_;
  std::int64_t request_;
  Phase phase_ = Phase::kWaitInfo;
  Ending ending_;
  Deadline deadline_;

  UniqueFd streams_[3];
  mode_t umask_ = 022;
  std::vector<std::pair<std::string, UniqueFd>> sources_;
  std::string proxy_directory_;
  UniqueFd proxy_ready_;  // closing it ends the proxy
  LaunchedProcess proxy_;
  LaunchedProcess bwrap_;
  UniqueFd info_;
  std::string info_text_;
  UniqueFd setup_;  // closed at the other end when bwrap has laid its last place
  UniqueFd block_;
  UniqueFd errors_;  // what bwrap says before the program runs; discarded afterwards
  std::string errors_text_;
  pid_t first_pid_ = -1;  // pid 1 of the session, in our pid namespace
  UniqueFd first_pidfd_;
  UniqueFd mount_namespace_fd_;
  std::uint64_t mount_namespace_ = 0;
};

}  // namespace sealway::sessiond

#endif  // SEALWAY_SESSIOND_SESSION_H_
