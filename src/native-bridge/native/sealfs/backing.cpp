// The folder below the mount. Layer: sealfs.
#include "sealfs/backing.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace sealway::sealfs {

bool IsReservedName(std::string_view name) { return name.starts_with(kReservedPrefix); }

bool IsPlainName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos;
}

Status Backing::Open(const std::string& folder) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(folder.c_str(), nullptr),
                                                         &std::free);
  if (!real) return FailErrno(errno, "no such folder");
  path_ = real.get();
  root_.Reset(::open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root_) return FailErrno(errno, "cannot open the folder");
  if (::fstatat(root_.Get(), "", &root_stat_, AT_EMPTY_PATH) != 0) {
    return FailErrno(errno, "cannot stat the folder");
  }
  return OkStatus();
}

std::string Backing::RelativePath(int path_fd) const {
  std::array<char, PATH_MAX> buffer{};
  const ssize_t length = ::readlink(FdPath(path_fd).Get(), buffer.data(), buffer.size());
  if (length <= 0) return {};
  std::string path(buffer.data(), static_cast<std::size_t>(length));
  if (!path.starts_with(path_ + "/")) return {};
  path.erase(0, path_.size() + 1);
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
  return path;
}

FdPath::FdPath(int fd) { std::snprintf(path_.data(), path_.size(), "/proc/self/fd/%d", fd); }

UniqueFd Reopen(int path_fd, int flags) {
  return UniqueFd(::open(FdPath(path_fd).Get(), flags | O_CLOEXEC));
}

UniqueFd ReopenQuietly(int path_fd, int flags) {
  UniqueFd fd = Reopen(path_fd, flags | O_NOATIME);
  if (!fd && errno == EPERM) fd = Reopen(path_fd, flags);
  return fd;
}

}  // namespace sealway::sealfs
