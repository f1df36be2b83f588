// One sealed file: opening, reading, its state. Layer: sealfs. Changes: sealed_file_write.cpp.
#include "sealfs/sealed_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "common/io.h"
#include "container/whole_file.h"
#include "sealfs/frame_buffers.h"

namespace sealway::sealfs {
namespace {

// Frames are read in runs of at most this many bytes.
constexpr std::size_t kReadRunBytes = std::size_t{1} << 20;

}  // namespace

SealedFile::SealedFile(UniqueFd fd, bool writable, ParsedHead head, HeadSecret secret,
                       Key32 label_key, std::uint64_t disk_size, RedoTarget target, RedoLog* redo)
    : fd_(std::move(fd)),
      writable_(writable),
      head_(std::move(head)),
      secret_(std::move(secret)),
      label_key_(std::move(label_key)),
      cipher_(std::make_unique<FrameCipher>(secret_.file_key, head_.fields.file_id)),
      layout_(head_.fields.Layout()),
      target_(target),
      redo_(redo),
      disk_size_(disk_size),
      open_state_(head_.fields.state == kStateOpen),
      needs_verify_(head_.fields.state == kStateSealed),
      // A file without frames has a known accumulator whatever its state: zero.
      accumulator_known_(head_.fields.state == kStateSealed || disk_size == kHeadBytes) {
  auto plain_size = layout_.PlainSize(disk_size);
  plain_size_ = plain_size ? *plain_size : 0;
}

Result<std::shared_ptr<SealedFile>> SealedFile::Open(UniqueFd fd, bool writable, Key32 label_key,
                                                     RedoLog* redo) {
  struct stat status {};
  if (::fstat(fd.Get(), &status) != 0) return FailErrno(errno, "cannot stat a sealed file");
  auto head = ReadHead(fd.Get());
  if (!head) return head.GetError();
  auto secret = OpenSecret(*head, label_key);
  if (!secret) return secret.GetError();
  const auto disk_size = static_cast<std::uint64_t>(status.st_size);
  auto plain_size = CheckedPlainSize(head->fields, disk_size);
  if (!plain_size) return plain_size.GetError();
  const RedoTarget target{status.st_dev, status.st_ino, head->fields.file_id};
  return std::make_shared<SealedFile>(std::move(fd), writable, std::move(*head), std::move(*secret),
                                      std::move(label_key), disk_size, target, redo);
}

int SealedFile::Usable() const {
  if (revoked_.load()) return EKEYREVOKED;
  return tampered_.load() ? EIO : 0;
}

std::uint64_t SealedFile::FrameBytes(std::uint64_t index) const {
  return layout_.PlainBytesIn(index, PlainSize()) + kFrameOverhead;
}

int SealedFile::Read(std::uint64_t offset, std::span<std::uint8_t> out, std::size_t* done,
                     Fault* fault) {
  *done = 0;
  bool met_hole = false;
  if (reading_over_.load()) return EKEYREVOKED;
  {
    const std::shared_lock lock(mutex_);
    if (const int error = Usable()) return error;
    const std::uint64_t size = PlainSize();
    if (offset >= size) return 0;
    out = out.first(std::min<std::uint64_t>(out.size(), size - offset));
    if (const int error = ReadChunks(offset, out, fault, &met_hole)) return error;
  }
  // No tag vouches for a hole: of a sealed file it may only be returned after the whole-file check.
  if (met_hole && NeedsVerify()) {
    if (const int error = Verify(fault)) return error;
  }
  *done = out.size();
  return 0;
}

int SealedFile::ReadChunks(std::uint64_t offset, std::span<std::uint8_t> out, Fault* fault,
                           bool* met_hole) {
  const std::uint64_t chunk_size = layout_.ChunkSize();
  const std::uint64_t run_frames = std::max<std::uint64_t>(1, kReadRunBytes / chunk_size);
  std::size_t filled = 0;
  while (filled < out.size()) {
    const std::uint64_t first = layout_.ChunkOf(offset + filled);
    const std::uint64_t last =
        std::min(layout_.ChunkOf(offset + out.size() - 1), first + run_frames - 1);
    const std::uint64_t disk_offset = layout_.FrameOffset(first);
    const std::uint64_t length = layout_.FrameOffset(last) + FrameBytes(last) - disk_offset;
    const auto frames = FrameBuffer().Get(length);
    auto got = PreadUpTo(fd_.Get(), frames, disk_offset);
    if (!got) return got.GetError().ToErrno();
    if (*got != length) {
      *fault = {ErrorCode::kContainerTruncated, first};
      return EIO;
    }
    for (std::uint64_t index = first; index <= last; ++index) {
      const auto frame = frames.subspan((index - first) * layout_.FrameSize(), FrameBytes(index));
      const std::uint64_t start = index << layout_.chunk_log2;
      const std::size_t plain = frame.size() - kFrameOverhead;
      const std::size_t skip = offset + filled - start;
      const std::size_t take = std::min(plain - skip, out.size() - filled);
      // Whole chunks go straight to where they are wanted.
      const bool direct = skip == 0 && take == plain;
      auto* to = direct ? out.data() + filled : ChunkBuffer().Get(chunk_size).data();
      bool hole = false;
      if (!cipher_->Open(index, frame, to, &hole)) {
        *fault = {ErrorCode::kContainerChunk, index};
        return EIO;
      }
      *met_hole = *met_hole || hole;
      if (!direct) std::memcpy(out.data() + filled, to + skip, take);
      filled += take;
    }
  }
  return 0;
}

int SealedFile::ReadDisk(std::uint64_t offset, std::span<std::uint8_t> out, std::size_t* done) {
  const std::shared_lock lock(mutex_);
  auto got = PreadUpTo(fd_.Get(), out, offset);
  if (!got) return got.GetError().ToErrno();
  *done = *got;
  return 0;
}

int SealedFile::Sync(bool data_only) {
  const int result = data_only ? ::fdatasync(fd_.Get()) : ::fsync(fd_.Get());
  return result == 0 ? 0 : errno;
}

// The live accumulator is carried on from the sealed one, so the check holds at any moment at which
// no change is under way, also while the file is open for writing.
int SealedFile::Verify(Fault* fault) {
  const std::shared_lock lock(mutex_);
  if (const int error = Usable()) return error;
  if (!needs_verify_.load()) return 0;
  auto found = ScanAccumulator(fd_.Get(), layout_, *cipher_, disk_size_);
  if (!found && found.Code() == ErrorCode::kIo) return found.GetError().ToErrno();
  if (!found || !SameDigest(*found, secret_.accumulator)) {
    tampered_ = true;
    *fault = {found ? ErrorCode::kContainerSeal : found.Code(), 0};
    return EIO;
  }
  needs_verify_ = false;
  return 0;
}

int SealedFile::WriteSlot(const SlotFields& fields, const Key32& key, bool durable) {
  auto slot = NextSlot(head_, fields, secret_, key);
  if (!slot) return slot.GetError().ToErrno();
  auto done = PwriteAll(fd_.Get(), slot->bytes, slot->disk_offset);
  if (done && durable && ::fdatasync(fd_.Get()) != 0) done = FailErrno(errno, "sync of a slot");
  if (done) return 0;
  // head_ is ahead of the disk now: take what the disk says.
  if (auto head = ReadHead(fd_.Get())) head_ = std::move(*head);
  return done.GetError().ToErrno();
}

int SealedFile::BeginChange() {
  if (const int error = Usable()) return error;
  if (!writable_) return EBADF;
  changes_.fetch_add(1);
  if (open_state_.load()) return RecountIfNeeded();
  auto fields = head_.fields;
  fields.state = kStateOpen;
  fields.plain_size = 0;
  if (redo_ != nullptr) redo_->MarkDirty(target_);
  if (const int error = WriteSlot(fields, *label_key_, true)) return error;
  // The stored accumulator is carried on: had a frame been put back before, the difference stays in
  // it and shows at the next check.
  open_state_ = true;
  return 0;
}

// A file that was open when its writer died: its accumulator is counted from the frames once.
int SealedFile::RecountIfNeeded() {
  if (accumulator_known_) return 0;
  auto found = ScanAccumulator(fd_.Get(), layout_, *cipher_, disk_size_);
  if (!found) return found.GetError().ToErrno();
  secret_.accumulator = *found;
  accumulator_known_ = true;
  needs_verify_ = false;
  return 0;
}

int SealedFile::Seal(std::uint64_t changes) {
  const std::unique_lock lock(mutex_);
  if (const int error = Usable()) return error;
  if (!open_state_.load()) return 0;
  if (!writable_) return EBADF;
  if (changes_.load() != changes) return EAGAIN;
  if (const int error = RecountIfNeeded()) return error;
  struct stat status {};
  if (::fstat(fd_.Get(), &status) != 0) return errno;
  auto fields = head_.fields;
  fields.state = kStateSealed;
  fields.plain_size = PlainSize();
  if (const int error = WriteSlot(fields, *label_key_, false)) return error;
  const std::array<struct timespec, 2> times = {timespec{0, UTIME_OMIT}, status.st_mtim};
  (void)::futimens(fd_.Get(), times.data());
  open_state_ = false;
  if (redo_ != nullptr) redo_->ClearDirty(target_);
  return 0;
}

int SealedFile::Relabel(const SlotFields& fields, Key32 label_key) {
  const std::unique_lock lock(mutex_);
  if (const int error = Usable()) return error;
  if (!writable_) return EBADF;
  struct stat status {};
  if (::fstat(fd_.Get(), &status) != 0) return errno;
  auto next = head_.fields;
  next.label = fields.label;
  next.area = fields.area;
  next.epoch = fields.epoch;
  next.parent_id = fields.parent_id;
  next.flags |= fields.flags;
  if (const int error = WriteSlot(next, label_key, false)) return error;
  label_key_ = std::move(label_key);
  const std::array<struct timespec, 2> times = {timespec{0, UTIME_OMIT}, status.st_mtim};
  (void)::futimens(fd_.Get(), times.data());
  return 0;
}

void SealedFile::Revoke() {
  const std::unique_lock lock(mutex_);
  revoked_ = true;
  label_key_.reset();
  secret_ = HeadSecret{};
  cipher_.reset();
}

void SealedFile::MakeWritable(UniqueFd fd) {
  const std::unique_lock lock(mutex_);
  if (writable_) return;
  fd_ = std::move(fd);
  writable_ = true;
}

SlotFields SealedFile::Fields() const {
  const std::shared_lock lock(mutex_);
  return head_.fields;
}

}  // namespace sealway::sealfs
