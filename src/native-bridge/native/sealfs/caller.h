// Who is asking: from a process id to outside, inside a session, or inside one that is not its own.
//
// Layer: sealfs. Knows /proc; knows no FUSE and no policy.
// Threads: SessionMap may be used from any thread; readers take a snapshot and never wait.
// Spec: docs/spec/sealfs-control-v1.md, "Plain view"; docs/adr/0010-versioned-nodes.md.
//
// The caller sleeps in the kernel while its request is handled, so its process id cannot be given
// to another process meanwhile. For the same reason nothing here is cached by process id.
#ifndef SEALWAY_SEALFS_CALLER_H_
#define SEALWAY_SEALFS_CALLER_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/unique_fd.h"

namespace sealway::sealfs {

// An executable as the kernel knows it. The change time makes a replaced or edited file another
// one.
struct ExecutableId {
  std::uint64_t dev = 0;
  std::uint64_t ino = 0;
  std::int64_t ctime_ns = 0;
  bool operator==(const ExecutableId&) const = default;
};

struct Session {
  std::string id;
  uid_t uid = 0;
  std::string application;
  std::uint64_t mount_namespace = 0;
  pid_t first_pid = 0;  // 0: not told
  // Keeps the namespace, see HoldNamespace.
  UniqueFd held_namespace;
};
using SessionRef = std::shared_ptr<const Session>;

// What /proc tells about a process. A seam: tests put their own processes here.
class ProcessInspector {
 public:
  virtual ~ProcessInspector() = default;
  // Inode number of the mount namespace. None: no such process, or not readable.
  [[nodiscard]] virtual std::optional<std::uint64_t> MountNamespace(pid_t pid) const = 0;
  [[nodiscard]] virtual std::optional<ExecutableId> Executable(pid_t pid) const = 0;
  // For records only, never for a decision. Empty when unreadable.
  [[nodiscard]] virtual std::string ExecutablePath(pid_t pid) const = 0;
};

class ProcInspector final : public ProcessInspector {
 public:
  ProcInspector();
  [[nodiscard]] std::optional<std::uint64_t> MountNamespace(pid_t pid) const override;
  [[nodiscard]] std::optional<ExecutableId> Executable(pid_t pid) const override;
  [[nodiscard]] std::string ExecutablePath(pid_t pid) const override;

 private:
  UniqueFd proc_;
};

// Holds the session's mount namespace, so that the kernel does not give its number to the next
// namespace, which could be anybody's, while the session is registered: the agent that would take
// the registration away may be dead. False when the session's first process has gone or is in
// another namespace. A session whose process was not told is not held.
[[nodiscard]] bool HoldNamespace(Session& session);

// Registered sessions by mount namespace.
class SessionMap {
 public:
  SessionMap();
  // Replaces a session with the same id or the same namespace.
  void Add(Session session);
  // These and no others are registered from now on, in one step for readers.
  void Replace(std::vector<Session> sessions);
  // False when there is no such session.
  bool Remove(const std::string& id);
  [[nodiscard]] SessionRef Find(std::uint64_t mount_namespace) const;
  [[nodiscard]] bool Empty() const;

 private:
  using Map = std::unordered_map<std::uint64_t, SessionRef>;
  std::mutex change_;
  std::atomic<std::shared_ptr<const Map>> map_;
};

struct Caller {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  // Set when the caller is in a registered session's mount namespace.
  SessionRef session;

  [[nodiscard]] bool Inside() const { return session != nullptr; }
  // In a session's namespace under another uid than the session's: gets no plain view and no
  // writes.
  [[nodiscard]] bool Intruder() const { return session != nullptr && session->uid != uid; }
};

// Unreadable, vanished or kernel-made callers (pid 0) are outside.
[[nodiscard]] Caller Identify(const ProcessInspector& inspector, const SessionMap& sessions,
                              pid_t pid, uid_t uid, gid_t gid);

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_CALLER_H_
