// Folders: OPENDIR, READDIR, RELEASEDIR, FSYNCDIR. Layer: sealfs.
//
// No READDIRPLUS: its entries would be look-ups without asking who walks the path.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "sealfs/frame_buffers.h"
#include "sealfs/ops.h"

namespace sealway::sealfs {
namespace {

FolderHandle* FolderOf(const fuse_file_info* info) {
  return reinterpret_cast<FolderHandle*>(info->fh);
}

void Opendir(fuse_req_t req, fuse_ino_t ino, fuse_file_info* info) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  auto handle = std::make_unique<FolderHandle>();
  UniqueFd fd(
      ::openat(NodeOf(fs, ino)->inode->path_fd.Get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) handle->stream = ::fdopendir(fd.Get());
  if (handle->stream == nullptr) {
    fuse_reply_err(req, errno);
    return;
  }
  (void)fd.Release();
  info->fh = reinterpret_cast<std::uint64_t>(handle.get());
  if (fuse_reply_open(req, info) == 0) (void)handle.release();
}

// Fills `out` from `handle` on. An entry that does not fit is kept for the next call.
std::size_t Fill(fuse_req_t req, FolderHandle& handle, off_t offset, std::span<std::uint8_t> out,
                 int* error) {
  if (offset != handle.offset) {
    ::seekdir(handle.stream, offset);
    handle.offset = offset;
    handle.pending = nullptr;
  }
  std::size_t used = 0;
  for (;;) {
    errno = 0;
    if (handle.pending == nullptr) handle.pending = ::readdir(handle.stream);
    if (handle.pending == nullptr) {
      *error = errno;
      return used;
    }
    const auto* item = handle.pending;
    if (!IsReservedName(item->d_name)) {
      struct stat status {};
      status.st_ino = item->d_ino;
      status.st_mode = static_cast<mode_t>(item->d_type) << 12;
      const std::size_t size =
          fuse_add_direntry(req, reinterpret_cast<char*>(out.data()) + used, out.size() - used,
                            item->d_name, &status, item->d_off);
      if (size > out.size() - used) return used;
      used += size;
    }
    handle.offset = item->d_off;
    handle.pending = nullptr;
  }
}

void Readdir(fuse_req_t req, fuse_ino_t /*ino*/, std::size_t size, off_t offset,
             fuse_file_info* info) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  FolderHandle& handle = *FolderOf(info);
  const auto out = FrameBuffer().Get(size);
  int error = 0;
  std::size_t used = 0;
  {
    // Released before the answer: once answered, the folder may be closed and the handle gone.
    const std::lock_guard lock(handle.mutex);
    used = Fill(req, handle, offset, out, &error);
  }
  // What was read before an error is given out first; the error comes with the next call.
  if (error != 0 && used == 0) {
    fuse_reply_err(req, error);
  } else {
    fuse_reply_buf(req, reinterpret_cast<const char*>(out.data()), used);
  }
}

void Releasedir(fuse_req_t req, fuse_ino_t /*ino*/, fuse_file_info* info) {
  const std::unique_ptr<FolderHandle> handle(FolderOf(info));
  fuse_reply_err(req, 0);
}

void Fsyncdir(fuse_req_t req, fuse_ino_t /*ino*/, int data_only, fuse_file_info* info) {
  const int fd = ::dirfd(FolderOf(info)->stream);
  const int result = data_only != 0 ? ::fdatasync(fd) : ::fsync(fd);
  fuse_reply_err(req, result == 0 ? 0 : errno);
}

}  // namespace

void AddDirectoryOperations(fuse_lowlevel_ops& ops) {
  ops.opendir = Opendir;
  ops.readdir = Readdir;
  ops.releasedir = Releasedir;
  ops.fsyncdir = Fsyncdir;
}

}  // namespace sealway::sealfs
