// A walk over the backing folder by descriptors, without following links or leaving the file
// system. Layer: sealfs. Threads: any.
#ifndef SEALWAY_SEALFS_TREE_WALK_H_
#define SEALWAY_SEALFS_TREE_WALK_H_

#include <sys/stat.h>

#include <functional>
#include <string>

namespace sealway::sealfs {

struct WalkEntry {
  int folder_fd;
  std::string name;
  std::string path;  // relative to the walk's root
  struct stat status;
};

// Calls `visit` for everything but folders; returning false ends the walk. What vanishes meanwhile
// or cannot be read is left out.
void WalkTree(int root_fd, const std::function<bool(const WalkEntry&)>& visit);

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_TREE_WALK_H_
