// Making a new sealed file in the backing store.
//
// Layer: sealfs. Threads: any.
// Order of writes: the name with an empty file, its head (state `open`), owner and mode. A crash
// after the first leaves an empty unsealed file, which the next open for writing seals.
#ifndef SEALWAY_SEALFS_NEW_FILE_H_
#define SEALWAY_SEALFS_NEW_FILE_H_

#include <memory>

#include "sealfs/file_system.h"

namespace sealway::sealfs {

struct NewFileRequest {
  const Inode* parent = nullptr;
  const char* name = "";
  mode_t mode = 0;  // the caller's, its umask not applied yet
  mode_t umask = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

// The mode a new file or folder gets: the umask counts unless the folder has a default ACL.
[[nodiscard]] mode_t ModeForNew(const Inode& parent, mode_t mode, mode_t umask);
// Gives a new file to its caller. `fd` may be O_PATH. 0 or errno.
[[nodiscard]] int GiveTo(const NewFileRequest& request, int fd, mode_t mode);

// Makes the file and its inode, with `inode->file` open for writing. `allowed` has been decided.
// ENOKEY: no configuration or no key yet. EEXIST and others as open(2).
[[nodiscard]] int MakeSealedFile(FileSystem& fs, const NewFileRequest& request,
                                 InodeTable::Pin* inode);

// A head for a new file under the folder's configuration: fields, secret, bytes.
struct FreshHead {
  SlotFields fields;
  HeadSecret secret;
  Key32 label_key;
  HeadBytes bytes{};
};
[[nodiscard]] int MakeFreshHead(FileSystem& fs, FreshHead* head);

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_NEW_FILE_H_
