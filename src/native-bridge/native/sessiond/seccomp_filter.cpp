// The session's system call filter: see seccomp_filter.h.
//
// Layer: native sessiond.
// Why a deny list: an office suite, its scripting languages and its GPU drivers use most of the
// kernel's interface, and an allow list that lags behind the C library breaks programs silently.
// The walls are the namespaces; the filter takes away what could move, bypass or look over them.
#include "sessiond/seccomp_filter.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>

#include <array>
#include <cerrno>
#include <memory>

#include "common/io.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef TIOCLINUX
#define TIOCLINUX 0x541C
#endif

namespace sealway::sessiond {
namespace {

struct FilterDeleter {
  void operator()(void* filter) const noexcept { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FilterDeleter>;

struct Denied {
  const char* name;
  int error;  // what the caller sees
};

// EPERM is what a caller without the privilege gets from the kernel itself, so programs are ready
// for it. ENOSYS where the C library or a program falls back to an older call.
constexpr std::array kDenied = {
    // Reading or steering another process.
    Denied{"ptrace", EPERM},
    Denied{"process_vm_readv", EPERM},
    Denied{"process_vm_writev", EPERM},
    Denied{"pidfd_getfd", EPERM},
    Denied{"kcmp", EPERM},
    Denied{"process_madvise", EPERM},
    Denied{"perf_event_open", EPERM},
    // Mounts: every way to build, move or remove one.
    Denied{"mount", EPERM},
    Denied{"umount", EPERM},
    Denied{"umount2", EPERM},
    Denied{"pivot_root", EPERM},
    Denied{"chroot", EPERM},
    Denied{"open_tree", EPERM},
    Denied{"move_mount", EPERM},
    Denied{"fsopen", EPERM},
    Denied{"fsconfig", EPERM},
    Denied{"fsmount", EPERM},
    Denied{"fspick", EPERM},
    Denied{"mount_setattr", EPERM},
    // Other namespaces. clone3 hides its flags behind a pointer, so callers go back to clone.
    Denied{"setns", EPERM},
    Denied{"unshare", EPERM},
    Denied{"clone3", ENOSYS},
    // Key rings are shared by all processes of a user, sessions or not.
    Denied{"keyctl", EPERM},
    Denied{"add_key", EPERM},
    Denied{"request_key", EPERM},
    // Large and often attacked, and of no use to an office program.
    Denied{"bpf", EPERM},
    Denied{"userfaultfd", EPERM},
    Denied{"io_uring_setup", EPERM},
    Denied{"io_uring_enter", EPERM},
    Denied{"io_uring_register", EPERM},
    Denied{"open_by_handle_at", EPERM},
    Denied{"name_to_handle_at", EPERM},
    Denied{"fanotify_init", EPERM},
    Denied{"fanotify_mark", EPERM},
    Denied{"quotactl", EPERM},
    Denied{"quotactl_fd", EPERM},
    Denied{"acct", EPERM},
    Denied{"swapon", EPERM},
    Denied{"swapoff", EPERM},
    Denied{"reboot", EPERM},
    Denied{"kexec_load", EPERM},
    Denied{"kexec_file_load", EPERM},
    Denied{"init_module", EPERM},
    Denied{"finit_module", EPERM},
    Denied{"delete_module", EPERM},
    Denied{"syslog", EPERM},
    Denied{"modify_ldt", EPERM},
    Denied{"vm86", EPERM},
    Denied{"vm86old", EPERM},
    Denied{"iopl", EPERM},
    Denied{"ioperm", EPERM},
    Denied{"lookup_dcookie", EPERM},
    Denied{"uselib", ENOSYS},
    Denied{"nfsservctl", ENOSYS},
    Denied{"ustat", ENOSYS},
    Denied{"sysfs", ENOSYS},
};

constexpr std::array kNamespaceFlags = {CLONE_NEWNS,  CLONE_NEWUTS, CLONE_NEWIPC,   CLONE_NEWUSER,
                                        CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP};

// Typing into a terminal on somebody else's behalf; the second pastes on the Linux console.
constexpr std::array kTerminalRequests = {TIOCSTI, TIOCLINUX};

// Address families that reach the kernel or another machine without an IP address. The network
// namespace holds back IP; AF_VSOCK is not bound to one.
constexpr std::array kSocketFamilies = {
    /*AF_VSOCK*/ 40, /*AF_ALG*/ 38,    /*AF_BLUETOOTH*/ 31,
    /*AF_NFC*/ 39,   /*AF_PACKET*/ 17, /*AF_RDS*/ 21};

int DenyCalls(void* filter) {
  for (const Denied& denied : kDenied) {
    const int number = seccomp_syscall_resolve_name(denied.name);
    // A libseccomp that does not know the name cannot filter it; the kernel may know it all the
    // same, but a library that is years older than the kernel is caught by the tests.
    if (number == __NR_SCMP_ERROR) continue;
    const int rc =
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(static_cast<unsigned>(denied.error)), number, 0);
    // -EDOM: the call does not exist on one of the architectures.
    if (rc != 0 && rc != -EDOM) return rc;
  }
  return 0;
}

int DenyArguments(void* filter) {
  int rc = 0;
  for (const int flag : kNamespaceFlags) {
    const auto bit = static_cast<scmp_datum_t>(flag);
    rc = rc != 0 ? rc
                 : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                    SCMP_A0(SCMP_CMP_MASKED_EQ, bit, bit));
  }
  for (const auto request : kTerminalRequests) {
    // The kernel looks at the low 32 bits alone; comparing all 64 would let a set high bit pass.
    rc = rc != 0 ? rc
                 : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                                    SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffUL,
                                            static_cast<scmp_datum_t>(request)));
  }
  for (const int family : kSocketFamilies) {
    const auto value = static_cast<scmp_datum_t>(family);
    for (const int call : {SCMP_SYS(socket), SCMP_SYS(socketpair)}) {
      rc = rc != 0 ? rc
                   : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), call, 1,
                                      SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffffUL, value));
    }
  }
  return rc;
}

Result<std::string> Export(void* filter) {
  const UniqueFd file(memfd_create("seccomp-export", MFD_CLOEXEC));
  if (!file) return FailErrno(errno, "memfd_create");
  if (const int rc = seccomp_export_bpf(filter, file.Get()); rc != 0) {
    return FailErrno(-rc, "seccomp_export_bpf");
  }
  std::string program(static_cast<std::size_t>(::lseek(file.Get(), 0, SEEK_END)), '\0');
  const auto read =
      PreadUpTo(file.Get(), {reinterpret_cast<std::uint8_t*>(program.data()), program.size()}, 0);
  if (!read) return read.GetError();
  return program;
}

}  // namespace

Result<std::string> BuildSeccompProgram() {
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW));
  if (!filter) return Fail(ErrorCode::kInvalid, "seccomp_init failed");
  int rc = 0;
#if defined(__x86_64__)
  for (const std::uint32_t arch : {SCMP_ARCH_X86, SCMP_ARCH_X32}) {
    const int added = seccomp_arch_add(filter.get(), arch);
    if (added != 0 && added != -EEXIST) rc = added;
  }
#endif
  // Sorted as a tree: about 6 instead of 80 comparisons for each call that is allowed.
  if (rc == 0) rc = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  if (rc == 0) rc = DenyCalls(filter.get());
  if (rc == 0) rc = DenyArguments(filter.get());
  if (rc != 0) return FailErrno(-rc, "a rule of the system call filter was refused");
  return Export(filter.get());
}

Result<UniqueFd> MemoryFile(const char* name, const std::string& bytes) {
  UniqueFd file(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return FailErrno(errno, "memfd_create");
  const auto status =
      WriteAll(file.Get(), {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  if (!status) return status.GetError();
  if (::lseek(file.Get(), 0, SEEK_SET) != 0) return FailErrno(errno, "lseek");
  // Not MFD_CLOEXEC's business: who inherits it must not be able to change it.
  ::fcntl(file.Get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  return file;
}

}  // namespace sealway::sessiond
