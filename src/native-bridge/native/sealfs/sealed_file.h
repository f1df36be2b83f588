// One sealed file of the backing store, read and changed as the document it holds.
//
// Layer: sealfs. Knows containers, descriptors and the redo log; knows no FUSE, no callers, no
//   policy. Spec: docs/spec/container-v1.md, sections 5 and 6.
// Threads: any. Readers share the lock, changes are exclusive. The lock is the file's own.
// Order of writes: before the first change slot `open` and fdatasync; frames (recorded in the redo
//   log first where they overwrite); Seal() after the caller made the data durable.
//   What a crash leaves: a file that says `open` whose frames are each whole, or a sealed one.
// Errors are positive errno values; 0 is success. A container fault gives EIO and is told by Fault.
#ifndef SEALWAY_SEALFS_SEALED_FILE_H_
#define SEALWAY_SEALFS_SEALED_FILE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <vector>

#include "common/result.h"
#include "common/unique_fd.h"
#include "container/frame_cipher.h"
#include "container/geometry.h"
#include "container/head.h"
#include "sealfs/redo_log.h"

namespace sealway::sealfs {

// What was wrong with the container, for the record.
struct Fault {
  ErrorCode code = ErrorCode::kInvalid;
  std::uint64_t chunk = 0;
};

class SealedFile {
 public:
  // Takes over a file whose head was parsed and opened. `disk_size` is its size now. `redo` may be
  // null (tests); it must outlive the object.
  SealedFile(UniqueFd fd, bool writable, ParsedHead head, HeadSecret secret, Key32 label_key,
             std::uint64_t disk_size, RedoTarget target, RedoLog* redo);
  SealedFile(const SealedFile&) = delete;
  SealedFile& operator=(const SealedFile&) = delete;

  // Opens `fd`: reads and checks the head. Fault codes as in the container's list; kIo.
  static Result<std::shared_ptr<SealedFile>> Open(UniqueFd fd, bool writable, Key32 label_key,
                                                  RedoLog* redo);

  // Up to out.size() document bytes from `offset`; fewer only at the end.
  [[nodiscard]] int Read(std::uint64_t offset, std::span<std::uint8_t> out, std::size_t* done,
                         Fault* fault);
  [[nodiscard]] int Write(std::uint64_t offset, std::span<const std::uint8_t> bytes, Fault* fault);
  [[nodiscard]] int Resize(std::uint64_t plain_size, Fault* fault);
  // Makes [offset, offset + length) read as zeros, within the document's size.
  [[nodiscard]] int Zero(std::uint64_t offset, std::uint64_t length, Fault* fault);
  // Claims space in the store for a part of the document that exists. ENOSPC and the like.
  [[nodiscard]] int Reserve(std::uint64_t offset, std::uint64_t length);
  // Bytes as they lie on disk, never torn by a change that is under way.
  [[nodiscard]] int ReadDisk(std::uint64_t offset, std::span<std::uint8_t> out, std::size_t* done);
  [[nodiscard]] int Sync(bool data_only);

  // Compares the accumulator of a sealed file with its frames. On a mismatch the file is tampered:
  // every later read and change fails with EIO. Does nothing when checked before or when `open`.
  [[nodiscard]] int Verify(Fault* fault);
  [[nodiscard]] bool NeedsVerify() const { return needs_verify_.load(); }

  // Writes slot `sealed`, keeping the modification time. The caller has made the data durable, and
  // `changes` is what Changes() said before that: if it has moved on, nothing is written (EAGAIN).
  [[nodiscard]] int Seal(std::uint64_t changes);
  // Number of changes so far: a file whose number stands still is as durable as at the last sync.
  [[nodiscard]] std::uint64_t Changes() const { return changes_.load(); }
  [[nodiscard]] bool IsOpenState() const { return open_state_.load(); }

  // Rewrites the head: label, area, epoch and parent of `fields` under `label_key`.
  [[nodiscard]] int Relabel(const SlotFields& fields, Key32 label_key);

  // First step of that: reads fail with EKEYREVOKED, while pages can still be written back.
  void StopReading() { reading_over_ = true; }
  // The plain view is over: every later operation fails with EKEYREVOKED, the keys are wiped.
  void Revoke();

  // Replaces a read-only descriptor by one that may write.
  void MakeWritable(UniqueFd fd);
  [[nodiscard]] bool Writable() const { return writable_; }

  [[nodiscard]] std::uint64_t PlainSize() const { return plain_size_.load(); }
  [[nodiscard]] SlotFields Fields() const;
  [[nodiscard]] const RedoTarget& Target() const { return target_; }
  [[nodiscard]] int Fd() const { return fd_.Get(); }

 private:
  struct Run;

  [[nodiscard]] int Usable() const;
  [[nodiscard]] int BeginChange();
  [[nodiscard]] int WriteSlot(const SlotFields& fields, const Key32& key, bool durable);
  [[nodiscard]] int ReadChunks(std::uint64_t offset, std::span<std::uint8_t> out, Fault* fault,
                               bool* met_hole);
  // Decrypts chunk `index` (which exists) into a chunk-sized zeroed buffer; its frame's tag too.
  [[nodiscard]] int LoadChunk(std::uint64_t index, std::span<std::uint8_t> chunk, bool* hole,
                              Digest32* digest, Fault* fault);
  [[nodiscard]] int OldTagDigest(std::uint64_t index, Digest32* digest);
  [[nodiscard]] int RemoveTags(std::uint64_t first, std::uint64_t end, Digest32* delta);
  [[nodiscard]] int WriteRun(std::uint64_t offset, std::span<const std::uint8_t> bytes,
                             Fault* fault);
  [[nodiscard]] int BuildFrame(Run& run, std::uint64_t index, Fault* fault);
  [[nodiscard]] int Store(Run& run);
  [[nodiscard]] int PadLastChunk(Fault* fault);
  [[nodiscard]] int Grow(std::uint64_t plain_size, Fault* fault);
  [[nodiscard]] int Shrink(std::uint64_t plain_size, Fault* fault);
  [[nodiscard]] int ZeroFrames(std::uint64_t first, std::uint64_t end);
  [[nodiscard]] int Preallocate(std::uint64_t disk_offset, std::uint64_t length);
  [[nodiscard]] int SetDiskSize(std::uint64_t disk_size);
  [[nodiscard]] int RecountIfNeeded();
  [[nodiscard]] std::uint64_t FrameBytes(std::uint64_t index) const;
  [[nodiscard]] std::uint64_t Frames() const { return layout_.FrameCount(PlainSize()); }
  [[nodiscard]] RedoLog::Ticket Record(std::uint64_t disk_offset,
                                       std::span<const std::uint8_t> bytes,
                                       std::int64_t final_size);

  mutable std::shared_mutex mutex_;
  UniqueFd fd_;
  bool writable_;
  ParsedHead head_;
  HeadSecret secret_;  // its accumulator is the live one
  std::optional<Key32> label_key_;
  std::unique_ptr<FrameCipher> cipher_;
  const Geometry layout_;
  const RedoTarget target_;
  RedoLog* redo_;
  std::uint64_t disk_size_;
  std::atomic<std::uint64_t> plain_size_{0};
  std::atomic<std::uint64_t> changes_{0};
  std::atomic<bool> open_state_;
  std::atomic<bool> needs_verify_;
  std::atomic<bool> tampered_{false};
  std::atomic<bool> reading_over_{false};
  std::atomic<bool> revoked_{false};
  bool accumulator_known_;
  bool may_be_sparse_ = true;
};

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_SEALED_FILE_H_
