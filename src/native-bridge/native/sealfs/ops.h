// The FUSE operations, by file: ops_lookup, ops_open, ops_create, ops_io, ops_namespace,
// ops_attributes, ops_directory, ops_xattr.
//
// Layer: sealfs, on libfuse's low-level API. Threads: libfuse's workers, several at once.
// Each operation answers its request exactly once, on every path.
#ifndef SEALWAY_SEALFS_OPS_H_
#define SEALWAY_SEALFS_OPS_H_

#include "sealfs/file_system.h"
#include "sealfs/handle.h"

namespace sealway::sealfs {

// All operations; the user data of the session is the FileSystem.
[[nodiscard]] fuse_lowlevel_ops MakeOperations();

void AddLookupOperations(fuse_lowlevel_ops& ops);
void AddOpenOperations(fuse_lowlevel_ops& ops);
void AddCreateOperations(fuse_lowlevel_ops& ops);
void AddIoOperations(fuse_lowlevel_ops& ops);
void AddNamespaceOperations(fuse_lowlevel_ops& ops);
void AddRenameOperation(fuse_lowlevel_ops& ops);
void AddAttributeOperations(fuse_lowlevel_ops& ops);
void AddDirectoryOperations(fuse_lowlevel_ops& ops);
void AddXattrOperations(fuse_lowlevel_ops& ops);

inline FileSystem& FileSystemOf(fuse_req_t req) {
  return *static_cast<FileSystem*>(fuse_req_userdata(req));
}

// Fills `entry` for one more look-up of `inode` in `view`. 0 or errno; then nothing was counted.
[[nodiscard]] int FillEntry(FileSystem& fs, Inode& inode, View view, fuse_entry_param* entry);
// The same for a node that is counted already (a created file).
[[nodiscard]] int FillEntryOf(FileSystem& fs, Node& node, fuse_entry_param* entry);
// Seconds for which the kernel may trust attributes of a node.
[[nodiscard]] double AttributeTimeout(const Node& node);

// What records say about an inode.
[[nodiscard]] FileFacts FactsOf(FileSystem& fs, Inode& inode);
[[nodiscard]] EventFacts MakeFacts(FileSystem& fs, const char* op, const Caller& caller,
                                   Inode* inode, int error);

// Opens an existing file for a caller and answers `req`, now or when a barrier lifts.
void OpenNode(FileSystem& fs, fuse_req_t req, Node* node, struct fuse_file_info* info);

// Answers an open, or with `created` a create, with a handle that is counted. Undone when the
// caller was interrupted.
void ReplyHandle(FileSystem& fs, fuse_req_t req, std::unique_ptr<Handle> handle,
                 struct fuse_file_info* info, const fuse_entry_param* created);
// Counts a new handle in its node and inode. Hold no lock.
void CountHandle(FileSystem& fs, Handle& handle);
void CloseHandle(FileSystem& fs, std::unique_ptr<Handle> handle);

// One write by an outsider to a file he is making (ingest_io.cpp). 0 or errno.
[[nodiscard]] int WriteIngest(FileSystem& fs, Handle& handle, std::uint64_t offset,
                              std::span<const std::uint8_t> bytes, Fault* fault);
[[nodiscard]] int ReadIngest(FileSystem& fs, Handle& handle, std::uint64_t offset,
                             std::span<std::uint8_t> out, std::size_t* done, Fault* fault);
[[nodiscard]] int ResizeIngest(Handle& handle, std::uint64_t size, Fault* fault);
// The last handle is gone: what was held back is written, an adopted container is taken over.
// Hold inode.mutex. Returns whether it was stored as a container.
bool FinishIngestLocked(FileSystem& fs, Inode& inode);

// Makes an unsealed file a sealed one in place. EBUSY when it is open. (seal_in_place.cpp)
[[nodiscard]] int SealInPlace(FileSystem& fs, Inode& inode);

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_OPS_H_
