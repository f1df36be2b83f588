// One sealed file: writing, truncating, zeroing. Layer: sealfs. See sealed_file.h for the order of
// writes and what a crash leaves.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "common/bytes.h"
#include "common/io.h"
#include "container/whole_file.h"
#include "sealfs/frame_buffers.h"
#include "sealfs/sealed_file.h"

namespace sealway::sealfs {

// A contiguous run of frames that one write touches.
struct SealedFile::Run {
  std::uint64_t offset = 0;             // plain
  std::span<const std::uint8_t> bytes;  // what is written there; may be zeros
  std::uint64_t first = 0;              // frames
  std::uint64_t last = 0;
  std::uint64_t old_frames = 0;      // the file's, before
  std::uint64_t new_plain_size = 0;  // the file's, after
  std::span<std::uint8_t> frames;    // the run's frames, back to back
  Digest32 delta{};                  // what the run does to the accumulator
};

RedoLog::Ticket SealedFile::Record(std::uint64_t disk_offset, std::span<const std::uint8_t> bytes,
                                   std::int64_t final_size) {
  return redo_ == nullptr ? RedoLog::Ticket()
                          : redo_->Begin(target_, disk_offset, bytes, final_size);
}

int SealedFile::Write(std::uint64_t offset, std::span<const std::uint8_t> bytes, Fault* fault) {
  if (bytes.empty()) return 0;
  if (offset + bytes.size() > kMaxPlainSize) return EFBIG;
  const std::unique_lock lock(mutex_);
  if (const int error = BeginChange()) return error;
  if (offset > PlainSize() && layout_.ChunkOf(offset) >= Frames()) {
    if (const int error = PadLastChunk(fault)) return error;
  }
  const std::uint64_t run_frames = RedoLog::kPayloadBytes / layout_.FrameSize();
  while (!bytes.empty()) {
    const std::uint64_t run_end = (layout_.ChunkOf(offset) + run_frames) << layout_.chunk_log2;
    const auto part = bytes.first(std::min<std::uint64_t>(bytes.size(), run_end - offset));
    if (const int error = WriteRun(offset, part, fault)) return error;
    offset += part.size();
    bytes = bytes.subspan(part.size());
  }
  return 0;
}

int SealedFile::WriteRun(std::uint64_t offset, std::span<const std::uint8_t> bytes, Fault* fault) {
  Run run;
  run.offset = offset;
  run.bytes = bytes;
  run.first = layout_.ChunkOf(offset);
  run.last = layout_.ChunkOf(offset + bytes.size() - 1);
  run.old_frames = Frames();
  run.new_plain_size = std::max(PlainSize(), offset + bytes.size());
  const std::uint64_t length = layout_.FrameOffset(run.last) - layout_.FrameOffset(run.first) +
                               layout_.PlainBytesIn(run.last, run.new_plain_size) + kFrameOverhead;
  run.frames = FrameBuffer().Get(length);
  for (std::uint64_t index = run.first; index <= run.last; ++index) {
    if (const int error = BuildFrame(run, index, fault)) return error;
  }
  return Store(run);
}

int SealedFile::BuildFrame(Run& run, std::uint64_t index, Fault* fault) {
  const std::uint64_t start = index << layout_.chunk_log2;
  const std::size_t plain = layout_.PlainBytesIn(index, run.new_plain_size);
  const std::uint64_t from = std::max(run.offset, start);
  const std::uint64_t to = std::min(run.offset + run.bytes.size(), start + plain);
  auto* frame = run.frames.data() + (index - run.first) * layout_.FrameSize();
  const auto fresh = run.bytes.subspan(from - run.offset, to - from);
  const bool exists = index < run.old_frames;
  Digest32 old{};
  std::span<const std::uint8_t> content = fresh;
  if (fresh.size() != plain) {
    const auto chunk = ChunkBuffer().Get(layout_.ChunkSize());
    std::memset(chunk.data(), 0, chunk.size());
    bool hole = false;
    if (exists) {
      if (const int error = LoadChunk(index, chunk, &hole, &old, fault)) return error;
    }
    std::memcpy(chunk.data() + (from - start), fresh.data(), fresh.size());
    content = chunk.first(plain);
  } else if (exists) {
    if (const int error = OldTagDigest(index, &old)) return error;
  }
  if (!cipher_->Seal(index, content, frame)) return EIO;
  XorInto(run.delta, old);
  XorInto(run.delta, cipher_->TagDigest(index, frame + plain + kNonceBytes));
  return 0;
}

int SealedFile::LoadChunk(std::uint64_t index, std::span<std::uint8_t> chunk, bool* hole,
                          Digest32* digest, Fault* fault) {
  const auto frame = OldFrameBuffer().Get(FrameBytes(index));
  auto got = PreadUpTo(fd_.Get(), frame, layout_.FrameOffset(index));
  if (!got) return got.GetError().ToErrno();
  if (*got != frame.size() || !cipher_->Open(index, frame, chunk.data(), hole)) {
    *fault = {ErrorCode::kContainerChunk, index};
    return EIO;
  }
  if (!*hole) *digest = cipher_->TagDigest(index, frame.data() + frame.size() - kTagBytes);
  return 0;
}

// Zero for a hole. A tag is 16 zero bytes only there (or once in 2^128 frames).
int SealedFile::OldTagDigest(std::uint64_t index, Digest32* digest) {
  std::array<std::uint8_t, kTagBytes> tag{};
  const std::uint64_t at = layout_.FrameOffset(index) + FrameBytes(index) - kTagBytes;
  auto got = PreadUpTo(fd_.Get(), tag, at);
  if (!got) return got.GetError().ToErrno();
  *digest = IsZero(tag) ? Digest32{} : cipher_->TagDigest(index, tag.data());
  return 0;
}

int SealedFile::RemoveTags(std::uint64_t first, std::uint64_t end, Digest32* delta) {
  for (std::uint64_t index = first; index < end; ++index) {
    Digest32 old{};
    if (const int error = OldTagDigest(index, &old)) return error;
    XorInto(*delta, old);
  }
  return 0;
}

// Space for an overwrite is claimed before the first byte changes: after that, ENOSPC could leave
// a frame half new and half old.
int SealedFile::Preallocate(std::uint64_t disk_offset, std::uint64_t length) {
  if (!may_be_sparse_) return 0;
  const int result = ::fallocate(fd_.Get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(disk_offset),
                                 static_cast<off_t>(length));
  return result != 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO) ? errno : 0;
}

int SealedFile::Reserve(std::uint64_t offset, std::uint64_t length) {
  const std::unique_lock lock(mutex_);
  if (const int error = Usable()) return error;
  if (length == 0 || offset + length > PlainSize()) return 0;
  const std::uint64_t last = layout_.ChunkOf(offset + length - 1);
  const std::uint64_t from = layout_.FrameOffset(layout_.ChunkOf(offset));
  return Preallocate(from, layout_.FrameOffset(last) + FrameBytes(last) - from);
}

int SealedFile::Store(Run& run) {
  const std::uint64_t disk_offset = layout_.FrameOffset(run.first);
  const std::uint64_t end = disk_offset + run.frames.size();
  RedoLog::Ticket ticket;
  if (run.first < run.old_frames) {
    const std::uint64_t last_old = std::min(run.last, run.old_frames - 1);
    const std::uint64_t old_end = layout_.FrameOffset(last_old) +
                                  layout_.PlainBytesIn(last_old, run.new_plain_size) +
                                  kFrameOverhead;
    const std::uint64_t inside = std::min(old_end, disk_size_) - disk_offset;
    if (const int error = Preallocate(disk_offset, inside)) return error;
    const bool grows = last_old == run.old_frames - 1;
    ticket = Record(disk_offset, run.frames.first(old_end - disk_offset),
                    grows ? static_cast<std::int64_t>(old_end) : -1);
  } else {
    ticket = Record(disk_size_, {}, static_cast<std::int64_t>(disk_size_));
    if (disk_offset > disk_size_) may_be_sparse_ = true;
  }
  // What lies beyond the file's end goes first: when there is no room for it, cutting it off again
  // leaves everything as it was.
  const std::size_t split = std::min<std::uint64_t>(
      run.frames.size(), disk_size_ > disk_offset ? disk_size_ - disk_offset : 0);
  if (auto done = PwriteAll(fd_.Get(), run.frames.subspan(split), disk_offset + split); !done) {
    (void)!::ftruncate(fd_.Get(), static_cast<off_t>(disk_size_));
    return done.GetError().ToErrno();
  }
  if (auto done = PwriteAll(fd_.Get(), run.frames.first(split), disk_offset); !done) {
    // Only a failing device gets here (see Preallocate); some frames are new, one may be torn.
    (void)!::ftruncate(fd_.Get(), static_cast<off_t>(disk_size_));
    accumulator_known_ = false;
    return done.GetError().ToErrno();
  }
  XorInto(secret_.accumulator, run.delta);
  disk_size_ = std::max(disk_size_, end);
  plain_size_ = run.new_plain_size;
  return 0;
}

int SealedFile::Resize(std::uint64_t plain_size, Fault* fault) {
  if (plain_size > kMaxPlainSize) return EFBIG;
  const std::unique_lock lock(mutex_);
  if (plain_size == PlainSize()) return Usable();
  if (const int error = BeginChange()) return error;
  return plain_size > PlainSize() ? Grow(plain_size, fault) : Shrink(plain_size, fault);
}

// Makes the last chunk a full one, as it must be before another follows.
int SealedFile::PadLastChunk(Fault* fault) {
  const std::uint64_t size = PlainSize();
  const std::uint64_t rest = size & (layout_.ChunkSize() - 1);
  return rest == 0 ? 0 : Grow(size - rest + layout_.ChunkSize(), fault);
}

int SealedFile::Grow(std::uint64_t plain_size, Fault* fault) {
  const std::uint64_t size = PlainSize();
  const std::uint64_t rest = size & (layout_.ChunkSize() - 1);
  if (rest != 0) {
    Digest32 old{};
    const std::uint64_t last = Frames() - 1;
    if (const int error = OldTagDigest(last, &old)) return error;
    // A hole grows by growing the file; a frame is written again with zeros after its bytes.
    if (old != Digest32{}) {
      const std::uint64_t chunk_end = (last + 1) << layout_.chunk_log2;
      const auto zeros = std::vector<std::uint8_t>(std::min(chunk_end, plain_size) - size);
      if (const int error = WriteRun(size, zeros, fault)) return error;
      if (plain_size <= chunk_end) return 0;
    }
  }
  may_be_sparse_ = true;
  if (const int error = SetDiskSize(layout_.DiskSize(plain_size))) return error;
  plain_size_ = plain_size;
  return 0;
}

int SealedFile::SetDiskSize(std::uint64_t disk_size) {
  if (::ftruncate(fd_.Get(), static_cast<off_t>(disk_size)) != 0) return errno;
  disk_size_ = disk_size;
  return 0;
}

int SealedFile::Shrink(std::uint64_t plain_size, Fault* fault) {
  const std::uint64_t keep = layout_.ChunkOf(plain_size);
  const std::uint64_t rest = plain_size & (layout_.ChunkSize() - 1);
  Digest32 delta{};
  if (plain_size == 0) {
    delta = secret_.accumulator;
  } else if (const int error = RemoveTags(keep, Frames(), &delta)) {
    return error;
  }
  const std::uint64_t disk_size = layout_.DiskSize(plain_size);
  RedoLog::Ticket ticket;
  if (rest != 0) {
    const auto chunk = ChunkBuffer().Get(layout_.ChunkSize());
    bool hole = false;
    Digest32 unused{};
    if (const int error = LoadChunk(keep, chunk, &hole, &unused, fault)) return error;
    if (!hole) {
      const auto frame = FrameBuffer().Get(rest + kFrameOverhead);
      if (!cipher_->Seal(keep, chunk.first(rest), frame.data())) return EIO;
      XorInto(delta, cipher_->TagDigest(keep, frame.data() + rest + kNonceBytes));
      if (const int error = Preallocate(layout_.FrameOffset(keep), frame.size())) return error;
      ticket = Record(layout_.FrameOffset(keep), frame, static_cast<std::int64_t>(disk_size));
      auto done = PwriteAll(fd_.Get(), frame, layout_.FrameOffset(keep));
      if (!done) return done.GetError().ToErrno();
    }
  }
  if (const int error = SetDiskSize(disk_size)) return error;
  XorInto(secret_.accumulator, delta);
  plain_size_ = plain_size;
  return 0;
}

int SealedFile::Zero(std::uint64_t offset, std::uint64_t length, Fault* fault) {
  const std::unique_lock lock(mutex_);
  const std::uint64_t size = PlainSize();
  if (offset >= size || length == 0) return Usable();
  if (const int error = BeginChange()) return error;
  const std::uint64_t end = std::min(size, length > size - offset ? size : offset + length);
  const std::uint64_t mask = layout_.ChunkSize() - 1;
  const std::uint64_t first_whole = layout_.ChunkOf(offset + mask);
  // The last chunk counts as whole when all it has is zeroed.
  const std::uint64_t end_whole = end == size ? Frames() : layout_.ChunkOf(end);
  const auto write_zeros = [&](std::uint64_t from, std::uint64_t to) {
    if (from >= to) return 0;
    return WriteRun(from, std::vector<std::uint8_t>(to - from), fault);
  };
  if (first_whole >= end_whole) {
    const std::uint64_t border = std::min(end, first_whole << layout_.chunk_log2);
    if (const int error = write_zeros(offset, border)) return error;
    return write_zeros(border, end);
  }
  if (const int error = write_zeros(offset, first_whole << layout_.chunk_log2)) return error;
  if (const int error = ZeroFrames(first_whole, end_whole)) return error;
  return write_zeros(end_whole << layout_.chunk_log2, end);
}

// Turns frames [first, end) into holes: zeros first (each run recorded), then their space is freed.
int SealedFile::ZeroFrames(std::uint64_t first, std::uint64_t end) {
  const std::uint64_t run_frames = RedoLog::kPayloadBytes / layout_.FrameSize();
  for (std::uint64_t index = first; index < end; index += run_frames) {
    const std::uint64_t stop = std::min(end, index + run_frames);
    const std::uint64_t disk_offset = layout_.FrameOffset(index);
    const std::uint64_t length = layout_.FrameOffset(stop - 1) + FrameBytes(stop - 1) - disk_offset;
    Digest32 delta{};
    if (const int error = RemoveTags(index, stop, &delta)) return error;
    if (const int error = Preallocate(disk_offset, length)) return error;
    const auto zeros = FrameBuffer().Get(length);
    std::memset(zeros.data(), 0, zeros.size());
    const auto ticket = Record(disk_offset, zeros, -1);
    auto done = PwriteAll(fd_.Get(), zeros, disk_offset);
    if (!done) return done.GetError().ToErrno();
    XorInto(secret_.accumulator, delta);
    (void)::fallocate(fd_.Get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                      static_cast<off_t>(disk_offset), static_cast<off_t>(length));
  }
  may_be_sparse_ = true;
  return 0;
}

}  // namespace sealway::sealfs
