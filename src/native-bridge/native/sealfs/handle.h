// An open file or folder, as FUSE's `fh`.
//
// Layer: sealfs. Threads: the kernel may use one handle from several threads at once.
#ifndef SEALWAY_SEALFS_HANDLE_H_
#define SEALWAY_SEALFS_HANDLE_H_

#include <dirent.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "common/unique_fd.h"
#include "sealfs/event_writer.h"
#include "sealfs/inode_table.h"
#include "sealfs/sealed_file.h"

namespace sealway::sealfs {

struct Handle {
  Node* node = nullptr;
  bool write = false;
  std::shared_ptr<SealedFile> file;  // plain and ingest views
  UniqueFd fd;                       // sealed and raw views
  std::atomic<std::uint64_t> bytes_read{0};
  std::atomic<std::uint64_t> bytes_written{0};
  // Of the `open` event; its caller and file are repeated in the `close` event.
  std::uint64_t open_sequence = 0;
  std::unique_ptr<EventFacts> opened;
};

struct FolderHandle {
  std::mutex mutex;  // the kernel may read a folder in parallel
  DIR* stream = nullptr;
  off_t offset = 0;
  struct dirent* pending = nullptr;
  ~FolderHandle() {
    if (stream != nullptr) ::closedir(stream);
  }
};

inline Handle* HandleOf(const struct fuse_file_info* info) {
  return reinterpret_cast<Handle*>(info->fh);
}

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_HANDLE_H_
