// Who is asking. Layer: sealfs.
#include "sealfs/caller.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <climits>
#include <cstdio>
#include <utility>

namespace sealway::sealfs {
namespace {

using Name = std::array<char, 40>;

Name ProcName(pid_t pid, const char* leaf) {
  Name name{};
  std::snprintf(name.data(), name.size(), "%d/%s", static_cast<int>(pid), leaf);
  return name;
}

}  // namespace

ProcInspector::ProcInspector() : proc_(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC)) {}

std::optional<std::uint64_t> ProcInspector::MountNamespace(pid_t pid) const {
  struct stat status {};
  if (::fstatat(proc_.Get(), ProcName(pid, "ns/mnt").data(), &status, 0) != 0) return std::nullopt;
  return status.st_ino;
}

std::optional<ExecutableId> ProcInspector::Executable(pid_t pid) const {
  struct stat status {};
  if (::fstatat(proc_.Get(), ProcName(pid, "exe").data(), &status, 0) != 0) return std::nullopt;
  return ExecutableId{status.st_dev, status.st_ino,
                      std::int64_t{status.st_ctim.tv_sec} * 1'000'000'000 + status.st_ctim.tv_nsec};
}

std::string ProcInspector::ExecutablePath(pid_t pid) const {
  std::array<char, PATH_MAX> path{};
  const ssize_t length =
      ::readlinkat(proc_.Get(), ProcName(pid, "exe").data(), path.data(), path.size());
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : std::string();
}

bool HoldNamespace(Session& session) {
  if (session.first_pid == 0) return true;
  const std::string path = "/proc/" + std::to_string(session.first_pid) + "/ns/mnt";
  session.held_namespace.Reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  return session.held_namespace && ::fstat(session.held_namespace.Get(), &status) == 0 &&
         status.st_ino == session.mount_namespace;
}

SessionMap::SessionMap() : map_(std::make_shared<const Map>()) {}

void SessionMap::Add(Session session) {
  const std::lock_guard lock(change_);
  auto next = std::make_shared<Map>(*map_.load());
  std::erase_if(*next, [&](const auto& entry) { return entry.second->id == session.id; });
  const std::uint64_t key = session.mount_namespace;
  (*next)[key] = std::make_shared<const Session>(std::move(session));
  map_.store(std::move(next));
}

void SessionMap::Replace(std::vector<Session> sessions) {
  const std::lock_guard lock(change_);
  auto next = std::make_shared<Map>();
  for (auto& session : sessions) {
    const std::uint64_t key = session.mount_namespace;
    (*next)[key] = std::make_shared<const Session>(std::move(session));
  }
  map_.store(std::move(next));
}

bool SessionMap::Remove(const std::string& id) {
  const std::lock_guard lock(change_);
  auto next = std::make_shared<Map>(*map_.load());
  const auto gone = std::erase_if(*next, [&](const auto& entry) { return entry.second->id == id; });
  map_.store(std::move(next));
  return gone != 0;
}

SessionRef SessionMap::Find(std::uint64_t mount_namespace) const {
  const auto map = map_.load();
  const auto found = map->find(mount_namespace);
  return found == map->end() ? nullptr : found->second;
}

bool SessionMap::Empty() const { return map_.load()->empty(); }

Caller Identify(const ProcessInspector& inspector, const SessionMap& sessions, pid_t pid, uid_t uid,
                gid_t gid) {
  Caller caller{pid, uid, gid, nullptr};
  if (pid <= 0 || sessions.Empty()) return caller;
  if (const auto mount_namespace = inspector.MountNamespace(pid)) {
    caller.session = sessions.Find(*mount_namespace);
  }
  return caller;
}

}  // namespace sealway::sealfs
