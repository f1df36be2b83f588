// The filter as the kernel runs it: each row makes one call in a filtered child.
#include "sessiond/seccomp_filter.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

namespace sealway::sessiond {
namespace {

struct Call {
  const char* id;
  long number;
  long arguments[4];
  int want;  // errno; 0: the filter lets it through, whatever the kernel says then
};

// The child's errno, or 0, as its exit status. 200: the filter could not be set.
int ErrnoInFilteredChild(const Call& call) {
  static const auto program = BuildSeccompProgram();
  const pid_t child = ::fork();
  if (child == 0) {
    sock_fprog filter{};
    filter.len = static_cast<unsigned short>(program->size() / sizeof(sock_filter));
    filter.filter = reinterpret_cast<sock_filter*>(const_cast<char*>(program->data()));
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
      ::_exit(200);
    }
    errno = 0;
    const long got = ::syscall(call.number, call.arguments[0], call.arguments[1], call.arguments[2],
                               call.arguments[3]);
    ::_exit(got == -1 ? errno : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 201;
}

class Filtered : public ::testing::TestWithParam<Call> {};

TEST_P(Filtered, GivesItsErrno) { EXPECT_EQ(ErrnoInFilteredChild(GetParam()), GetParam().want); }

constexpr long kHigh = 0x100000000L;

INSTANTIATE_TEST_SUITE_P(
    Denied, Filtered,
    ::testing::Values(
        Call{"ptrace", SYS_ptrace, {PTRACE_TRACEME}, EPERM},
        Call{"process_vm_readv", SYS_process_vm_readv, {}, EPERM},
        Call{"process_vm_writev", SYS_process_vm_writev, {}, EPERM},
        Call{"pidfd_getfd", SYS_pidfd_getfd, {-1}, EPERM}, Call{"kcmp", SYS_kcmp, {1, 1}, EPERM},
        Call{"perf_event_open", SYS_perf_event_open, {}, EPERM},
        Call{"mount", SYS_mount, {}, EPERM}, Call{"umount2", SYS_umount2, {}, EPERM},
        Call{"pivot_root", SYS_pivot_root, {}, EPERM}, Call{"chroot", SYS_chroot, {}, EPERM},
        Call{"open_tree", SYS_open_tree, {}, EPERM}, Call{"move_mount", SYS_move_mount, {}, EPERM},
        Call{"fsopen", SYS_fsopen, {}, EPERM}, Call{"fsmount", SYS_fsmount, {}, EPERM},
        Call{"fspick", SYS_fspick, {}, EPERM}, Call{"mount_setattr", SYS_mount_setattr, {}, EPERM},
        Call{"setns", SYS_setns, {-1}, EPERM}, Call{"unshare", SYS_unshare, {}, EPERM},
        Call{"clone3", SYS_clone3, {}, ENOSYS},
        Call{"clone_user", SYS_clone, {CLONE_NEWUSER | SIGCHLD}, EPERM},
        Call{"clone_mount", SYS_clone, {CLONE_NEWNS | SIGCHLD}, EPERM},
        Call{"clone_net", SYS_clone, {CLONE_NEWNET | SIGCHLD}, EPERM},
        Call{"keyctl", SYS_keyctl, {}, EPERM}, Call{"add_key", SYS_add_key, {}, EPERM},
        Call{"request_key", SYS_request_key, {}, EPERM}, Call{"bpf", SYS_bpf, {}, EPERM},
        Call{"userfaultfd", SYS_userfaultfd, {}, EPERM},
        Call{"io_uring", SYS_io_uring_setup, {}, EPERM},
        Call{"handles", SYS_open_by_handle_at, {}, EPERM},
        Call{"tiocsti", SYS_ioctl, {0, TIOCSTI}, EPERM},
        Call{"tiocsti_high", SYS_ioctl, {0, TIOCSTI | kHigh}, EPERM},
        Call{"tioclinux", SYS_ioctl, {0, 0x541C}, EPERM},
        Call{"vsock", SYS_socket, {40, SOCK_STREAM}, EAFNOSUPPORT},
        Call{"packet", SYS_socket, {AF_PACKET, SOCK_RAW}, EAFNOSUPPORT}),
    [](const auto& row) { return std::string(row.param.id); });

INSTANTIATE_TEST_SUITE_P(
    Allowed, Filtered,
    ::testing::Values(Call{"getpid", SYS_getpid, {}, 0},
                      Call{"unix_socket", SYS_socket, {AF_UNIX, SOCK_STREAM}, 0},
                      Call{"inet_socket", SYS_socket, {AF_INET, SOCK_STREAM}, 0},
                      Call{"memfd", SYS_memfd_create, {reinterpret_cast<long>("x")}, 0},
                      Call{"eventfd", SYS_eventfd2, {}, 0}),
    [](const auto& row) { return std::string(row.param.id); });

#if defined(__x86_64__)
// The same kernel through its 32-bit door: int 0x80 with i386 numbers.
int Errno32(int number, int argument) {
  long result = 0;
  asm volatile("int $0x80" : "=a"(result) : "a"(number), "b"(argument), "c"(0), "d"(0) : "memory");
  return static_cast<int>(-result);
}

TEST(Filter32, DeniesByI386Numbers) {
  const auto program = BuildSeccompProgram();
  ASSERT_TRUE(program.Ok());
  const pid_t child = ::fork();
  if (child == 0) {
    if (Errno32(20, 0) == ENOSYS) ::_exit(77);  // no 32-bit door in this kernel
    sock_fprog filter{};
    filter.len = static_cast<unsigned short>(program->size() / sizeof(sock_filter));
    filter.filter = reinterpret_cast<sock_filter*>(const_cast<char*>(program->data()));
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) ::_exit(200);
    const bool denied = Errno32(/*ptrace*/ 26, PTRACE_TRACEME) == EPERM &&
                        Errno32(/*unshare*/ 310, CLONE_NEWUSER) == EPERM &&
                        Errno32(/*umount2*/ 52, 0) == EPERM;
    ::_exit(denied ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) GTEST_SKIP() << "this kernel kills 32-bit callers";
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "this kernel takes no 32-bit calls";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}
#endif

}  // namespace
}  // namespace sealway::sessiond
