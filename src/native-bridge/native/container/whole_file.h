// Whole files: sealing a document, opening a sealed file, working out the accumulator.
//
// Layer: native container, with I/O on descriptors that the caller opened. Threads: a descriptor
//   belongs to one call at a time.
// Spec: docs/spec/container-v1.md, sections 6 and 7.
// Order of writes when sealing: head with state open, fdatasync, frames, fdatasync, slot with state
//   sealed, fdatasync. A crash leaves a file that says "open", or a consistent one.
#ifndef SEALWAY_CONTAINER_WHOLE_FILE_H_
#define SEALWAY_CONTAINER_WHOLE_FILE_H_

#include <cstdint>

#include "common/result.h"
#include "common/secret.h"
#include "container/frame_cipher.h"
#include "container/geometry.h"
#include "container/head.h"

namespace sealway {

// Reads and parses the head with pread(2). As ParseHead; kIo.
[[nodiscard]] Result<ParsedHead> ReadHead(int fd);

// Plain size of a parsed file of `disk_size` bytes (section 7, step 6).
//
// kContainerTruncated: impossible size, or a sealed file is shorter than it says.
// kContainerSeal:      a sealed file is longer than it says.
[[nodiscard]] Result<std::uint64_t> CheckedPlainSize(const SlotFields& fields,
                                                     std::uint64_t disk_size);

// The accumulator over the frames on disk, from their tags alone: one small pread a frame, runs of
// holes skipped with SEEK_DATA (which moves the descriptor's offset). It authenticates nothing by
// itself: compare it with HeadSecret::accumulator in constant time (SameDigest).
//
// kContainerShort, kContainerTruncated (also when the file shrinks meanwhile), kIo.
[[nodiscard]] Result<Digest32> ScanAccumulator(int fd, Geometry geometry, const FrameCipher& cipher,
                                               std::uint64_t disk_size);

// Constant time.
[[nodiscard]] bool SameDigest(const Digest32& a, const Digest32& b) noexcept;

// Seals what `in_fd` gives from its current offset into `out_fd`, which must be an empty file open
// for reading and writing. Of `fields` the caller sets label, area, epoch, chunk_log2, flags, ids
// of parent and device, created_ms and extensions; a zero file_id is replaced by a random one.
// Returns the fields as written.
[[nodiscard]] Result<SlotFields> SealFile(int in_fd, int out_fd, SlotFields fields,
                                          const Key32& label_key);

struct OpenedFile {
  SlotFields fields;
  std::uint64_t plain_size = 0;
  bool unclean = false;       // finding: the file says "open"; frames were authenticated one by one
  bool slot_damaged = false;  // finding
};

// Opens `in_fd` into `out_fd` (written in order, never seeked). Of a sealed file the accumulator is
// checked before the first byte goes out, and again over what was truly decrypted, so a file
// changed meanwhile is refused too. On any failure the caller must discard what `out_fd` received.
[[nodiscard]] Result<OpenedFile> OpenFile(int in_fd, int out_fd, const Key32& label_key);

}  // namespace sealway

#endif  // SEALWAY_CONTAINER_WHOLE_FILE_H_
