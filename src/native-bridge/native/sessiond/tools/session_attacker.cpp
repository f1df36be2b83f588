// Tries one way into a process and says what the kernel answered; for test/privileged.
//
// Layer: native sessiond, test tool; never packaged. Usage: session_attacker ATTACK PID [ARGUMENT]
// Writes "errno N" or "succeeded" and exits with 0; 2 for an unknown attack.
#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>

#include "common/unique_fd.h"

namespace {

using sealway::UniqueFd;

struct Target {
  pid_t pid;
  std::string argument;
};
// True when the attack got through; errno tells why it did not.
using Attack = std::function<bool(const Target&)>;

std::string Proc(const Target& target, const std::string& leaf) {
  return "/proc/" + std::to_string(target.pid) + "/" + leaf;
}

bool Ptrace(const Target& target, int request) {
  return ::ptrace(static_cast<__ptrace_request>(request), target.pid, nullptr, nullptr) == 0;
}

// Opening is not enough for some files: the kernel checks at the first read.
bool ReadFile(const Target& target) {
  const UniqueFd file(::open(Proc(target, target.argument).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  char byte = 0;
  const ssize_t got = ::pread(file.Get(), &byte, 1, 0);
  if (got == 0) errno = ENODATA;  // an empty answer gives nothing away
  return got > 0;
}

bool WriteMemory(const Target& target) {
  const UniqueFd file(::open(Proc(target, "mem").c_str(), O_RDWR | O_CLOEXEC));
  return file.Valid();
}

bool ReadLink(const Target& target) {
  std::array<char, 4096> path;
  return ::readlink(Proc(target, target.argument).c_str(), path.data(), path.size()) >= 0;
}

bool OpenBelow(const Target& target) {
  return UniqueFd(::open(Proc(target, target.argument).c_str(), O_RDONLY | O_CLOEXEC)).Valid();
}

bool OpenAt(const Target& target) {
  const UniqueFd base(::open(Proc(target, "cwd").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  return base && UniqueFd(::openat(base.Get(), target.argument.c_str(), O_RDONLY)).Valid();
}

// "." and ".." give nothing away.
bool ListDirectory(const Target& target) {
  DIR* directory = ::opendir(Proc(target, target.argument).c_str());
  if (directory == nullptr) return false;
  int names = 0;
  errno = 0;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') ++names;
  }
  const int error = errno == 0 ? ENODATA : errno;
  ::closedir(directory);
  errno = error;
  return names > 0;
}

bool JoinNamespace(const Target& target) {
  const UniqueFd space(::open(Proc(target, "ns/" + target.argument).c_str(), O_RDONLY | O_CLOEXEC));
  return space && ::setns(space.Get(), 0) == 0;
}

UniqueFd Pidfd(const Target& target) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, target.pid, 0)));
}

bool JoinByPidfd(const Target& target) {
  const UniqueFd process = Pidfd(target);
  return process && ::setns(process.Get(), CLONE_NEWUSER | CLONE_NEWNS) == 0;
}

bool StealDescriptor(const Target& target) {
  const UniqueFd process = Pidfd(target);
  return process && ::syscall(SYS_pidfd_getfd, process.Get(), 0, 0) >= 0;
}

bool VmRead(const Target& target) {
  char byte = 0;
  iovec mine{&byte, 1};
  iovec theirs{reinterpret_cast<void*>(std::strtoull(target.argument.c_str(), nullptr, 16)), 1};
  return ::process_vm_readv(target.pid, &mine, 1, &theirs, 1, 0) == 1;
}

bool VmWrite(const Target& target) {
  char byte = 0;
  iovec mine{&byte, 1};
  iovec theirs{reinterpret_cast<void*>(0x1000), 1};
  return ::process_vm_writev(target.pid, &mine, 1, &theirs, 1, 0) == 1;
}

bool Compare(const Target& target) {
  return ::syscall(SYS_kcmp, ::getpid(), target.pid, KCMP_FILES, 0, 0) >= 0;
}

bool Perf(const Target& target) {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_TASK_CLOCK;
  attributes.exclude_kernel = 1;
  return ::syscall(SYS_perf_event_open, &attributes, target.pid, -1, -1, 0) >= 0;
}

bool AllowCoreDump(const Target& target) {
  const rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
  return ::prlimit(target.pid, RLIMIT_CORE, &limit, nullptr) == 0;
}

bool MovePages(const Target& target) {
  std::array<void*, 1> pages = {reinterpret_cast<void*>(0x1000)};
  std::array<int, 1> status{};
  return ::syscall(SYS_move_pages, target.pid, 1, pages.data(), nullptr, status.data(), 0) == 0;
}

bool WriteFile(const Target& target) {
  return UniqueFd(::open(Proc(target, target.argument).c_str(), O_WRONLY | O_CLOEXEC)).Valid();
}

const std::map<std::string, Attack>& Attacks() {
  static const std::map<std::string, Attack> kAttacks = {
      {"ptrace-attach", [](const Target& t) { return Ptrace(t, PTRACE_ATTACH); }},
      {"ptrace-seize", [](const Target& t) { return Ptrace(t, PTRACE_SEIZE); }},
      {"read", ReadFile},
      {"write-mem", WriteMemory},
      {"write", WriteFile},
      {"readlink", ReadLink},
      {"open", OpenBelow},
      {"openat-cwd", OpenAt},
      {"list", ListDirectory},
      {"setns", JoinNamespace},
      {"setns-pidfd", JoinByPidfd},
      {"pidfd-getfd", StealDescriptor},
      {"vm-read", VmRead},
      {"vm-write", VmWrite},
      {"kcmp", Compare},
      {"perf", Perf},
      {"core-limit", AllowCoreDump},
      {"move-pages", MovePages},
  };
  return kAttacks;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const auto attack = Attacks().find(argv[1]);
  if (attack == Attacks().end()) return 2;
  const Target target{static_cast<pid_t>(std::atoi(argv[2])), argc > 3 ? argv[3] : ""};
  errno = 0;
  if (attack->second(target)) {
    std::puts("succeeded");
  } else {
    std::printf("errno %s\n", ::strerrorname_np(errno));
  }
  return 0;
}
