// Container geometry: where each frame of a sealed file lies on disk.
//
// Layer: native container. Pure arithmetic; no I/O, no keys. Threads: values.
// Spec: docs/spec/container-v1.md, section 5 ("Frames").
// Not here: encryption (frame_cipher.h) and header parsing (head.h).
#ifndef SEALWAY_CONTAINER_GEOMETRY_H_
#define SEALWAY_CONTAINER_GEOMETRY_H_

#include <cstdint>

#include "common/result.h"

namespace sealway {

inline constexpr std::uint64_t kHeadBytes = 4096;
inline constexpr std::uint64_t kNonceBytes = 12;
inline constexpr std::uint64_t kTagBytes = 16;
inline constexpr std::uint64_t kFrameOverhead = kNonceBytes + kTagBytes;
inline constexpr std::uint8_t kMinChunkLog2 = 12;
inline constexpr std::uint8_t kMaxChunkLog2 = 20;
inline constexpr std::uint8_t kDefaultChunkLog2 = 14;
// The largest plain size a header may claim: what a JavaScript number counts exactly.
inline constexpr std::uint64_t kMaxPlainSize = (std::uint64_t{1} << 53) - 1;

struct Geometry {
  std::uint8_t chunk_log2 = kDefaultChunkLog2;

  [[nodiscard]] constexpr std::uint64_t ChunkSize() const noexcept {
    return std::uint64_t{1} << chunk_log2;
  }
  // On disk, of a full frame.
  [[nodiscard]] constexpr std::uint64_t FrameSize() const noexcept {
    return ChunkSize() + kFrameOverhead;
  }
  // Disk offset of frame `index`.
  [[nodiscard]] constexpr std::uint64_t FrameOffset(std::uint64_t index) const noexcept {
    return kHeadBytes + index * FrameSize();
  }
  // The frame that holds the document byte at `plain_offset`.
  [[nodiscard]] constexpr std::uint64_t ChunkOf(std::uint64_t plain_offset) const noexcept {
    return plain_offset >> chunk_log2;
  }
  // Frames of a document of `plain_size` bytes.
  [[nodiscard]] constexpr std::uint64_t FrameCount(std::uint64_t plain_size) const noexcept {
    return (plain_size >> chunk_log2) + ((plain_size & (ChunkSize() - 1)) != 0 ? 1 : 0);
  }
  // Plain bytes in frame `index`, which must be below FrameCount(plain_size).
  [[nodiscard]] constexpr std::uint64_t PlainBytesIn(std::uint64_t index,
                                                     std::uint64_t plain_size) const noexcept {
    const std::uint64_t left = plain_size - (index << chunk_log2);
    return left < ChunkSize() ? left : ChunkSize();
  }
  // Size on disk of a document of `plain_size` (at most kMaxPlainSize) bytes.
  [[nodiscard]] constexpr std::uint64_t DiskSize(std::uint64_t plain_size) const noexcept {
    return kHeadBytes + plain_size + FrameCount(plain_size) * kFrameOverhead;
  }
  // The inverse, O(1), for every stat(2). A claim until the last frame has been authenticated.
  //
  // kContainerShort:     less than a head.
  // kContainerTruncated: the last frame is too short to hold its nonce, its tag and one byte.
  [[nodiscard]] Result<std::uint64_t> PlainSize(std::uint64_t disk_size) const;
};

}  // namespace sealway

#endif  // SEALWAY_CONTAINER_GEOMETRY_H_
