// A walk over the backing folder. Layer: sealfs.
#include "sealfs/tree_walk.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include "common/unique_fd.h"

namespace sealway::sealfs {
namespace {

struct CloseStream {
  void operator()(DIR* stream) const { ::closedir(stream); }
};
using Stream = std::unique_ptr<DIR, CloseStream>;

// Folders below are remembered by path and opened one component at a time, so that depth costs
// neither stack nor descriptors.
UniqueFd OpenFolder(int root_fd, const std::string& path) {
  UniqueFd at(::openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::size_t begin = 0;
  while (at && begin < path.size()) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto part = path.substr(begin, end - begin);
    at =
        UniqueFd(::openat(at.Get(), part.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    begin = end + 1;
  }
  return at;
}

}  // namespace

void WalkTree(int root_fd, const std::function<bool(const WalkEntry&)>& visit) {
  struct stat root {};
  if (::fstatat(root_fd, "", &root, AT_EMPTY_PATH) != 0) return;
  std::vector<std::string> folders = {""};
  while (!folders.empty()) {
    const auto folder = std::move(folders.back());
    folders.pop_back();
    UniqueFd fd = OpenFolder(root_fd, folder);
    if (!fd) continue;
    const Stream stream(::fdopendir(fd.Get()));
    if (!stream) continue;
    (void)fd.Release();
    while (const auto* item = ::readdir(stream.get())) {
      const std::string_view name = item->d_name;
      if (name == "." || name == "..") continue;
      WalkEntry entry{::dirfd(stream.get()),
                      std::string(name),
                      folder.empty() ? std::string(name) : folder + "/" + std::string(name),
                      {}};
      if (::fstatat(entry.folder_fd, item->d_name, &entry.status, AT_SYMLINK_NOFOLLOW) != 0)
        continue;
      if (entry.status.st_dev != root.st_dev) continue;
      if (S_ISDIR(entry.status.st_mode)) {
        folders.push_back(entry.path);
      } else if (!visit(entry)) {
        return;
      }
    }
  }
}

}  // namespace sealway::sealfs
