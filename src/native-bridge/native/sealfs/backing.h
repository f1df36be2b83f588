// The folder below the mount: every access goes through a descriptor taken before mounting.
//
// Layer: sealfs. Threads: any. Names are single components and are never followed, so no link can
// lead outside the folder.
#ifndef SEALWAY_SEALFS_BACKING_H_
#define SEALWAY_SEALFS_BACKING_H_

#include <sys/stat.h>

#include <array>
#include <string>
#include <string_view>

#include "common/result.h"
#include "common/unique_fd.h"

namespace sealway::sealfs {

// Files that sealfs makes for its own use; hidden, and nobody else may make one.
inline constexpr std::string_view kReservedPrefix = ".sealway-tmp-";

[[nodiscard]] bool IsReservedName(std::string_view name);
// "", ".", ".." and names with "/" never come from the kernel's walk; refuse them all the same.
[[nodiscard]] bool IsPlainName(std::string_view name);

class Backing {
 public:
  // Opens the folder. kIo.
  [[nodiscard]] Status Open(const std::string& folder);
  [[nodiscard]] int RootFd() const { return root_.Get(); }
  [[nodiscard]] const std::string& Path() const { return path_; }  // resolved, absolute
  [[nodiscard]] const struct stat& RootStat() const { return root_stat_; }

  // Path of `path_fd` below the folder, "" for the folder itself or when it cannot be told. For
  // records and for the exclusion of names, never for access.
  [[nodiscard]] std::string RelativePath(int path_fd) const;

 private:
  UniqueFd root_;
  std::string path_;
  struct stat root_stat_ {};
};

// "/proc/self/fd/N": lets calls that want a path work on an O_PATH descriptor.
class FdPath {
 public:
  explicit FdPath(int fd);
  [[nodiscard]] const char* Get() const { return path_.data(); }

 private:
  std::array<char, 32> path_{};
};

// Opens what an O_PATH descriptor names. Negative descriptor: errno tells.
[[nodiscard]] UniqueFd Reopen(int path_fd, int flags);
// For sealfs's own reading: leaves the access time alone where that is allowed.
[[nodiscard]] UniqueFd ReopenQuietly(int path_fd, int flags);

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_BACKING_H_
