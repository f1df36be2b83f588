// Buffers that a worker thread keeps, so that no request allocates.
//
// Layer: sealfs. Threads: each has its own. Contents are plaintext or frames of the last request;
//   the process is not dumpable, and the kernel zeroes pages of a dead thread.
#ifndef SEALWAY_SEALFS_FRAME_BUFFERS_H_
#define SEALWAY_SEALFS_FRAME_BUFFERS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sealway::sealfs {

// Grows and never shrinks: bounded by the largest run (redo_log.h) and the largest chunk.
class ReusedBuffer {
 public:
  [[nodiscard]] std::span<std::uint8_t> Get(std::size_t bytes) {
    if (bytes_.size() < bytes) bytes_.resize(bytes);
    return {bytes_.data(), bytes};
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

inline ReusedBuffer& FrameBuffer() {
  thread_local ReusedBuffer buffer;
  return buffer;
}

inline ReusedBuffer& ChunkBuffer() {
  thread_local ReusedBuffer buffer;
  return buffer;
}

// A frame that is read while FrameBuffer holds frames to be written.
inline ReusedBuffer& OldFrameBuffer() {
  thread_local ReusedBuffer buffer;
  return buffer;
}

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_FRAME_BUFFERS_H_
