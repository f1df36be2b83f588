// The life of one mount. Layer: sealfs.
#include "sealfs/mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>

#include "sealfs/control_actions.h"
#include "sealfs/ops.h"
#include "sealfs/recovery.h"

namespace sealway::sealfs {
namespace {

constexpr std::size_t kTransferBytes = std::size_t{1} << 20;
constexpr unsigned kIdleThreads = 8;
constexpr unsigned kMaxThreads = 12;  // fewer than redo slots: no worker ever waits for one

int Complain(const char* what, int error) {
  std::fprintf(stderr, "sealfs: %s: %s\n", what, std::strerror(error));
  return 1;
}

// Keys must not reach a core file or a debugger of the same user.
void Harden() {
  (void)::prctl(PR_SET_DUMPABLE, 0);
  const struct rlimit none { 0, 0 };
  (void)::setrlimit(RLIMIT_CORE, &none);
  struct rlimit files {};
  (void)::getrlimit(RLIMIT_NOFILE, &files);
  const struct rlimit many { 1'048'576, 1'048'576 };
  if (::setrlimit(RLIMIT_NOFILE, &many) != 0) {
    files.rlim_cur = files.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &files);
  }
  (void)::signal(SIGPIPE, SIG_IGN);
  (void)::setpgid(0, 0);
  (void)::umask(0);
  if (::geteuid() == 0) std::ofstream("/proc/self/oom_score_adj") << "-900";
}

// A mount whose server was killed answers ENOTCONN until someone takes it away. statfs(2), because
// stat(2) may be answered from attributes that the kernel still trusts.
void RemoveDeadMount(const std::string& folder) {
  struct statfs status {};
  while (::statfs(folder.c_str(), &status) != 0 && errno == ENOTCONN) {
    if (::umount2(folder.c_str(), MNT_DETACH) != 0) return;
  }
}

void Init(void* /*user_data*/, fuse_conn_info* connection) {
  const auto want = [&](unsigned capability) {
    connection->want |= connection->capable & capability;
  };
  want(FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS |
       FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_DONT_MASK | FUSE_CAP_POSIX_ACL | FUSE_CAP_ASYNC_DIO |
       FUSE_CAP_EXPLICIT_INVAL_DATA | FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_EXPORT_SUPPORT);
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_READDIRPLUS |
                                             FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_EXPORT_SUPPORT);
  connection->max_write = kTransferBytes;
  connection->max_read = kTransferBytes;
  connection->max_readahead = kTransferBytes;
  connection->max_background = 64;
  connection->congestion_threshold = 48;
  connection->time_gran = 1;
}

fuse_session* NewSession(FileSystem& fs, const Options& options) {
  std::string text =
      "fsname=sealfs,subtype=sealfs,default_permissions,max_read=" + std::to_string(kTransferBytes);
  // Without root, others may only look in when the administrator's fuse.conf says so.
  if (::geteuid() == 0) text += ",allow_other";
  if (options.read_only) text += ",ro";
  std::array<char*, 3> arguments = {const_cast<char*>("sealfs"), const_cast<char*>("-o"),
                                    text.data()};
  fuse_args args = FUSE_ARGS_INIT(static_cast<int>(arguments.size()), arguments.data());
  static fuse_lowlevel_ops operations = MakeOperations();
  operations.init = Init;
  return fuse_session_new(&args, &operations, sizeof(operations), &fs);
}

// The kernel reads ahead 128 KiB on FUSE unless told otherwise.
void WidenReadAhead(const std::string& folder) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) return;
  const auto name = "/sys/class/bdi/" + std::to_string(major(status.st_dev)) + ":" +
                    std::to_string(minor(status.st_dev)) + "/read_ahead_kb";
  std::ofstream(name) << kTransferBytes / 1024;
}

class Mount {
 public:
  Mount(const Options& options, UniqueFd log) : options_(options), log_(std::move(log)) {}
  int Run();

 private:
  int Prepare();
  int Start();
  void StartParts();
  bool Leave(bool lazy);
  void WatchSignals();
  void FlushDirtyPages();

  const Options options_;
  UniqueFd log_;
  FileSystem fs_;
  fuse_session* session_ = nullptr;
  std::unique_ptr<ControlServer> server_ = std::make_unique<ControlServer>();
  std::unique_ptr<ControlActions> actions_;
  sigset_t signals_{};
};

int Mount::Prepare() {
  RemoveDeadMount(options_.folder);
  fs_.read_only = options_.read_only;
  fs_.fixed_plain = options_.fixed_plain;
  if (auto ok = fs_.backing.Open(options_.folder); !ok) {
    return Complain(ok.GetError().detail.c_str(), ok.GetError().ToErrno());
  }
  if (auto ok = fs_.spool.Open(options_.spool); !ok) {
    return Complain(ok.GetError().detail.c_str(), ok.GetError().ToErrno());
  }
  if (auto ok = fs_.redo.Open(options_.redo); !ok) {
    return Complain(ok.GetError().detail.c_str(), ok.GetError().ToErrno());
  }
  fs_.events.Start(&fs_.spool);
  (void)Replay(fs_);
  const auto& root = fs_.backing.RootStat();
  fs_.root = fs_.inodes.SetRoot({root.st_dev, root.st_ino}, Reopen(fs_.backing.RootFd(), O_PATH));
  return 0;
}

void Mount::StartParts() {
  fs_.notifier.Start(session_);
  fs_.verifier.Start([this](Inode& inode, const Fault& fault) {
    fs_.ReportFault(inode, fault);
    // Reads fail from now on; pages that were handed out before must not be served either.
    fs_.inodes.ForNodes(&inode, [&](Node& node) {
      if (node.view == View::kPlain)
        fs_.notifier.InvalidatePages(reinterpret_cast<std::uint64_t>(&node));
    });
  });
  fs_.seals.Start(fs_.backing.RootFd(), [this](Inode& inode, bool sealed) {
    if (sealed) fs_.ContainerChanged(inode);
    const std::lock_guard lock(inode.mutex);
    if (sealed && inode.file && !inode.file->NeedsVerify()) {
      inode.verified_version = inode.sealed_version;
    }
    fs_.DropIfUnusedLocked(inode);
  });
}

int Mount::Start() {
  session_ = NewSession(fs_, options_);
  if (session_ == nullptr) return 1;
  if (fuse_session_mount(session_, fs_.backing.Path().c_str()) != 0) return 1;
  StartParts();
  actions_ =
      std::make_unique<ControlActions>(fs_, *server_, [this](bool lazy) { return Leave(lazy); });
  ControlServer::Hooks hooks;
  hooks.handle = [this](Request& request, std::uint64_t connection) {
    return actions_->Handle(request, connection);
  };
  hooks.connected = [this](bool connected) { fs_.barrier.SetConnected(connected); };
  hooks.tick = [this] {
    fs_.barrier.Expire(BarrierQueue::Clock::now());
    fs_.events.FlushRepeated(false);
  };
  fs_.spool.OnAppend([this] { server_->Wake(); });
  if (auto ok = server_->Start(options_.control, &fs_.spool, std::move(hooks)); !ok) {
    fuse_session_unmount(session_);
    return Complain(ok.GetError().detail.c_str(), ok.GetError().ToErrno());
  }
  return 0;
}

// Dirty pages of open files go to the store before the mount does. Not from a worker's thread.
void Mount::FlushDirtyPages() {
  auto pins = fs_.inodes.Collect([](const Inode& inode) { return inode.IsRegular(); });
  for (auto& pin : pins) {
    std::vector<std::uint64_t> nodes;
    fs_.inodes.ForNodes(pin.Get(), [&](Node& node) {
      if (node.writers != 0) nodes.push_back(reinterpret_cast<std::uint64_t>(&node));
    });
    for (const auto node : nodes) fs_.notifier.InvalidatePagesNow(node);
  }
}

bool Mount::Leave(bool lazy) {
  FlushDirtyPages();
  fs_.events.FlushRepeated(true);
  const int flags = lazy ? MNT_DETACH : 0;
  if (::geteuid() != 0) {
    fuse_session_exit(session_);
    fuse_session_unmount(session_);
  } else if (::umount2(fs_.backing.Path().c_str(), flags) != 0) {
    if (!lazy) return false;
  }
  fs_.seals.Stop();
  fs_.seals.Flush();
  server_->Wake();
  // Workers may be asleep in the kernel over a mount that is detached but in use: ending the
  // process ends the connection.
  std::_Exit(0);
}

void Mount::WatchSignals() {
  for (;;) {
    int signal = 0;
    if (::sigwait(&signals_, &signal) == 0 && signal != SIGHUP) break;
  }
  fs_.seals.Flush();
  (void)Leave(true);
}

int Mount::Run() {
  if (const int status = Prepare()) return status;
  // Blocked before the first thread starts, so that all inherit it.
  sigemptyset(&signals_);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals_, signal);
  (void)::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  if (const int status = Start()) return status;
  std::thread([this] { WatchSignals(); }).detach();
  // The first request is answered by the loop below; the folder's own attributes need it.
  std::thread([this] { WidenReadAhead(fs_.backing.Path()); }).detach();
  std::printf("{\"type\":\"ready\",\"pid\":%d}\n", static_cast<int>(::getpid()));
  (void)std::fflush(stdout);
  // Failures before this went to whoever started us; he may be gone later.
  if (log_) (void)::dup2(log_.Get(), STDERR_FILENO);
  fuse_loop_config* config = fuse_loop_cfg_create();
  fuse_loop_cfg_set_clone_fd(config, 1);
  fuse_loop_cfg_set_idle_threads(config, kIdleThreads);
  fuse_loop_cfg_set_max_threads(config, kMaxThreads);
  const int result = fuse_session_loop_mt(session_, config);
  fuse_loop_cfg_destroy(config);
  // Somebody else has unmounted the folder.
  fs_.seals.Stop();
  fs_.seals.Flush();
  std::_Exit(result == 0 ? 0 : 1);
}

}  // namespace

int Serve(const Options& options) {
  Harden();
  UniqueFd log;
  if (!options.log.empty()) {
    const int fd = ::open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return Complain("cannot open the log", errno);
    log.Reset(fd);
  }
  return std::make_unique<Mount>(options, std::move(log))->Run();
}

}  // namespace sealway::sealfs
