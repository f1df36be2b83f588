// What outsiders write. Layer: sealfs. Inode::mutex is held across each step: one outsider's file
// is no place for parallel speed, and the decision must not race.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/io.h"
#include "sealfs/ops.h"

namespace sealway::sealfs {
namespace {

using Mode = Ingest::Mode;
using Bytes = std::span<const std::uint8_t>;

// A container that a known key opens is stored as it is; anything else is a document.
bool IsKnownContainer(const FileSystem& fs, Bytes head_bytes) {
  auto head = ParseHead(head_bytes);
  if (!head) return false;
  const auto key = fs.keys.Get({head->fields.area, head->fields.label, head->fields.epoch});
  return key && OpenSecret(*head, *key).Ok();
}

int Store(Inode& inode, std::uint64_t offset, Bytes bytes, Fault* fault) {
  if (inode.ingest->mode == Mode::kEncrypting) return inode.file->Write(offset, bytes, fault);
  auto done = PwriteAll(inode.file->Fd(), bytes, offset);
  return done ? 0 : done.GetError().ToErrno();
}

int Decide(FileSystem& fs, Inode& inode, Bytes from_start) {
  if (!IsKnownContainer(fs, from_start)) {
    inode.ingest->mode = Mode::kEncrypting;
    return 0;
  }
  inode.ingest->mode = Mode::kAdopting;
  return ::ftruncate(inode.file->Fd(), 0) == 0 ? 0 : errno;
}

// Writes what was held back, now that it is known what it is.
int StoreHeld(Inode& inode, Fault* fault) {
  const auto held = std::move(inode.ingest->held);
  inode.ingest->held.clear();
  return held.empty() ? 0 : Store(inode, 0, held, fault);
}

int Hold(FileSystem& fs, Inode& inode, std::uint64_t offset, Bytes bytes, Fault* fault) {
  auto& held = inode.ingest->held;
  const bool in_order = offset <= held.size() && offset + bytes.size() >= held.size();
  if (!in_order) {
    inode.ingest->mode = Mode::kEncrypting;
    if (const int error = StoreHeld(inode, fault)) return error;
    return Store(inode, offset, bytes, fault);
  }
  const std::size_t take = std::min<std::size_t>(bytes.size(), kHeadBytes - offset);
  held.resize(std::max<std::size_t>(held.size(), offset + take));
  std::memcpy(held.data() + offset, bytes.data(), take);
  if (held.size() < kHeadBytes) return 0;
  if (const int error = Decide(fs, inode, held)) return error;
  if (const int error = StoreHeld(inode, fault)) return error;
  return take == bytes.size() ? 0 : Store(inode, offset + take, bytes.subspan(take), fault);
}

}  // namespace

int WriteIngest(FileSystem& fs, Handle& handle, std::uint64_t offset, Bytes bytes, Fault* fault) {
  Inode& inode = *handle.node->inode;
  const std::lock_guard lock(inode.mutex);
  if (!inode.ingest || !inode.file) return EBADF;
  auto& ingest = *inode.ingest;
  ingest.bytes_written += bytes.size();
  if (ingest.mode == Mode::kUndecided) {
    ingest.mode = offset == 0 && HasMagic(bytes) ? Mode::kHolding : Mode::kEncrypting;
  }
  return ingest.mode == Mode::kHolding ? Hold(fs, inode, offset, bytes, fault)
                                       : Store(inode, offset, bytes, fault);
}

int ReadIngest(FileSystem& /*fs*/, Handle& handle, std::uint64_t offset,
               std::span<std::uint8_t> out, std::size_t* done, Fault* fault) {
  Inode& inode = *handle.node->inode;
  const std::lock_guard lock(inode.mutex);
  if (!inode.ingest || !inode.file || inode.ingest->unreadable) return EACCES;
  const auto& held = inode.ingest->held;
  switch (inode.ingest->mode) {
    case Mode::kHolding: {
      *done = offset >= held.size() ? 0 : std::min<std::size_t>(out.size(), held.size() - offset);
      if (*done != 0) std::memcpy(out.data(), held.data() + offset, *done);
      return 0;
    }
    case Mode::kAdopting:
      return inode.file->ReadDisk(offset, out, done);
    case Mode::kUndecided:
    case Mode::kEncrypting:
      return inode.file->Read(offset, out, done, fault);
  }
  return EIO;
}

int ResizeIngest(Handle& handle, std::uint64_t size, Fault* fault) {
  Inode& inode = *handle.node->inode;
  const std::lock_guard lock(inode.mutex);
  if (!inode.ingest || !inode.file) return EBADF;
  if (inode.ingest->mode == Mode::kHolding && size <= inode.ingest->held.size()) {
    inode.ingest->held.resize(size);
    if (size == 0) inode.ingest->mode = Mode::kUndecided;
    return 0;
  }
  if (inode.ingest->mode == Mode::kAdopting) {
    return ::ftruncate(inode.file->Fd(), static_cast<off_t>(size)) == 0 ? 0 : errno;
  }
  // A size set before anything is written says nothing yet about what will come: copying tools do
  // so. The document is made that long, and still may turn out to be a container.
  if (inode.ingest->mode == Mode::kHolding) {
    inode.ingest->mode = Mode::kEncrypting;
    if (const int error = StoreHeld(inode, fault)) return error;
  }
  return inode.file->Resize(size, fault);
}

bool FinishIngestLocked(FileSystem& fs, Inode& inode) {
  Fault fault;
  if (inode.ingest->mode == Mode::kHolding) {
    inode.ingest->mode = Mode::kEncrypting;
    (void)StoreHeld(inode,
                    &fault);  // an error here was due to be seen at close: nobody asks any more
  }
  const bool adopted = inode.ingest->mode == Mode::kAdopting;
  inode.ingest.reset();
  if (!adopted) return false;
  fs.redo.ClearDirty(inode.file->Target());
  inode.file.reset();
  inode.kind = Kind::kOther;
  fs.ClassifyLocked(inode);
  return true;
}

}  // namespace sealway::sealfs
