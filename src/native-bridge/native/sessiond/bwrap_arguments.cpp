// Bubblewrap's options: see bwrap_arguments.h.
//
// Layer: native sessiond.
#include "sessiond/bwrap_arguments.h"

namespace sealway::sessiond {
namespace {

using Options = std::vector<std::string>;

void Add(Options& options, std::initializer_list<std::string> more) {
  options.insert(options.end(), more);
}

void AddBind(Options& options, const Bind& bind, const BwrapDescriptors& descriptors) {
  if (bind.mode == BindMode::kTmpfs) {
    // XDG_RUNTIME_DIR has to be the user's alone, and nobody else lives here anyway.
    Add(options, {"--perms", "0700", "--tmpfs", bind.target});
    return;
  }
  if (bind.mode == BindMode::kDirectory) {
    Add(options, {"--perms", "0700", "--dir", bind.target});
    return;
  }
  if (bind.mode == BindMode::kDevice) {
    Add(options, {"--dev-bind", bind.source, bind.target});
    return;
  }
  const std::string option = bind.mode == BindMode::kReadWrite ? "--bind" : "--ro-bind";
  // With a descriptor bwrap compares device and inode after mounting, so the path cannot be
  // exchanged between our check and its mount.
  const auto opened = descriptors.sources.find(bind.source);
  if (bind.device && opened != descriptors.sources.end()) {
    Add(options, {option + "-fd", std::to_string(opened->second), bind.target});
  } else {
    Add(options, {option, bind.source, bind.target});
  }
}

}  // namespace

std::vector<std::string> BwrapOptions(const SessionGrant& grant,
                                      const BwrapDescriptors& descriptors) {
  Options options = {"--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
                     "--unshare-cgroup-try"};
  if (!grant.network) Add(options, {"--unshare-net"});
  Add(options, {"--die-with-parent", "--new-session", "--cap-drop", "ALL"});
  Add(options, {"--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"});
  for (const char* place : {"/tmp", "/var/tmp", "/dev/shm"}) {
    Add(options, {"--perms", "1777", "--tmpfs", place});
  }
  for (const Bind& bind : grant.binds) AddBind(options, bind, descriptors);
  if (!descriptors.dbus_socket.empty()) {
    Add(options, {"--ro-bind", descriptors.dbus_socket, "/tmp/.session-bus"});
  }
  Add(options, {"--file", std::to_string(descriptors.setup), "/tmp/.session"});
  Add(options, {"--seccomp", std::to_string(descriptors.seccomp), "--info-fd",
                std::to_string(descriptors.info), "--block-fd", std::to_string(descriptors.block),
                "--chdir", grant.cwd});
  return options;
}

std::string JoinWithNul(const std::vector<std::string>& options) {
  std::string joined;
  for (const std::string& option : options) joined.append(option).push_back('\0');
  return joined;
}

}  // namespace sealway::sessiond
