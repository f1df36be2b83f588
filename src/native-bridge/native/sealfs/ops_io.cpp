// READ, WRITE, FSYNC, FALLOCATE: by the view of the handle. Layer: sealfs.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/io.h"
#include "sealfs/frame_buffers.h"
#include "sealfs/ops.h"

namespace sealway::sealfs {
namespace {

ReusedBuffer& ReplyBuffer() {
  thread_local ReusedBuffer buffer;
  return buffer;
}

int PreadPlainly(int fd, std::uint64_t offset, std::span<std::uint8_t> out, std::size_t* done) {
  auto got = PreadUpTo(fd, out, offset);
  if (!got) return got.GetError().ToErrno();
  *done = *got;
  return 0;
}

// Container bytes for an outsider. A change under way may tear what is read past the file's lock:
// then it is read again under it.
int ReadSealed(Handle& handle, std::uint64_t offset, std::span<std::uint8_t> out,
               std::size_t* done) {
  Inode& inode = *handle.node->inode;
  const std::uint32_t before = inode.sealed_version.load();
  std::shared_ptr<SealedFile> file;
  {
    const std::lock_guard lock(inode.mutex);
    file = inode.file;
  }
  if (!file) {
    const int error = PreadPlainly(handle.fd.Get(), offset, out, done);
    if (error != 0 || inode.sealed_version.load() == before) return error;
    const std::lock_guard lock(inode.mutex);
    file = inode.file;
  }
  return file ? file->ReadDisk(offset, out, done)
              : PreadPlainly(handle.fd.Get(), offset, out, done);
}

void Read(fuse_req_t req, fuse_ino_t /*ino*/, std::size_t size, off_t offset,
          fuse_file_info* info) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health, &fs.health.read);
  Handle& handle = *HandleOf(info);
  const auto out = ReplyBuffer().Get(size);
  const auto at = static_cast<std::uint64_t>(offset);
  std::size_t done = 0;
  Fault fault;
  int error = 0;
  switch (handle.node->view) {
    case View::kPlain:
      error = handle.file->Read(at, out, &done, &fault);
      break;
    case View::kIngest:
      error = ReadIngest(fs, handle, at, out, &done, &fault);
      break;
    case View::kSealed:
      error = ReadSealed(handle, at, out, &done);
      break;
    case View::kRaw:
      error = PreadPlainly(handle.fd.Get(), at, out, &done);
      break;
  }
  if (error != 0) {
    if (error == EIO && handle.file) fs.ReportFault(*handle.node->inode, fault);
    fuse_reply_err(req, error);
    return;
  }
  handle.bytes_read.fetch_add(done, std::memory_order_relaxed);
  fuse_reply_buf(req, reinterpret_cast<const char*>(out.data()), done);
}

void Write(fuse_req_t req, fuse_ino_t /*ino*/, const char* data, std::size_t size, off_t offset,
           fuse_file_info* info) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health, &fs.health.write);
  Handle& handle = *HandleOf(info);
  Node* node = handle.node;
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(data), size);
  const auto at = static_cast<std::uint64_t>(offset);
  Fault fault;
  int error = 0;
  if (node->view == View::kRaw) {
    auto written = PwriteAll(handle.fd.Get(), bytes, at);
    if (!written) error = written.GetError().ToErrno();
  } else if (node->view == View::kSealed) {
    error = EBADF;
  } else {
    fs.Touched(*node->inode, node);
    error = node->view == View::kPlain ? handle.file->Write(at, bytes, &fault)
                                       : WriteIngest(fs, handle, at, bytes, &fault);
    fs.Touched(*node->inode, node);
  }
  if (error != 0) {
    if (error == EIO && handle.file) fs.ReportFault(*node->inode, fault);
    fuse_reply_err(req, error);
    return;
  }
  handle.bytes_written.fetch_add(size, std::memory_order_relaxed);
  fuse_reply_write(req, size);
}

void Fsync(fuse_req_t req, fuse_ino_t /*ino*/, int data_only, fuse_file_info* info) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  Handle& handle = *HandleOf(info);
  if (handle.file) {
    fuse_reply_err(req, handle.file->Sync(data_only != 0));
    return;
  }
  const int result = data_only != 0 ? ::fdatasync(handle.fd.Get()) : ::fsync(handle.fd.Get());
  fuse_reply_err(req, result == 0 ? 0 : errno);
}

int FallocatePlain(FileSystem& fs, Handle& handle, int mode, std::uint64_t offset,
                   std::uint64_t length, Fault* fault) {
  constexpr int kKeep = FALLOC_FL_KEEP_SIZE;
  Node* node = handle.node;
  SealedFile& file = *handle.file;
  const bool zero = (mode & ~kKeep) == FALLOC_FL_ZERO_RANGE;
  const bool punch = mode == (FALLOC_FL_PUNCH_HOLE | kKeep);
  if (mode != 0 && !zero && !punch) return EOPNOTSUPP;
  const bool extend = (mode & kKeep) == 0 && offset + length > file.PlainSize();
  fs.Touched(*node->inode, node);
  int error = zero || punch ? file.Zero(offset, length, fault) : 0;
  if (error == 0 && extend) error = file.Resize(offset + length, fault);
  // Space is claimed in the store too, so that a later write cannot meet ENOSPC.
  if (error == 0 && mode == 0) error = file.Reserve(offset, length);
  fs.Touched(*node->inode, node);
  return error;
}

void Fallocate(fuse_req_t req, fuse_ino_t /*ino*/, int mode, off_t offset, off_t length,
               fuse_file_info* info) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  Handle& handle = *HandleOf(info);
  int error = EOPNOTSUPP;
  Fault fault;
  if (handle.node->view == View::kPlain) {
    error = FallocatePlain(fs, handle, mode, static_cast<std::uint64_t>(offset),
                           static_cast<std::uint64_t>(length), &fault);
  } else if (handle.node->view == View::kRaw) {
    error = ::fallocate(handle.fd.Get(), mode, offset, length) == 0 ? 0 : errno;
  } else if (handle.node->view == View::kIngest) {
    // A hint that outsiders' copying tools give; nothing is promised, the data will come.
    error = mode == 0 || mode == FALLOC_FL_KEEP_SIZE ? EOPNOTSUPP : EACCES;
  }
  if (error == EIO && handle.file) fs.ReportFault(*handle.node->inode, fault);
  fuse_reply_err(req, error);
}

}  // namespace

void AddIoOperations(fuse_lowlevel_ops& ops) {
  ops.read = Read;
  ops.write = Write;
  ops.fsync = Fsync;
  ops.fallocate = Fallocate;
  // No lseek: the kernel then answers SEEK_DATA and SEEK_HOLE from its own size, which is right
  // also for pages it has not written back yet.
}

}  // namespace sealway::sealfs
