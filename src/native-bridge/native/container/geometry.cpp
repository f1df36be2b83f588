// Container geometry. Layer: native container. Spec: docs/spec/container-v1.md, section 5.
#include "container/geometry.h"

namespace sealway {

Result<std::uint64_t> Geometry::PlainSize(std::uint64_t disk_size) const {
  if (disk_size < kHeadBytes) return Fail(ErrorCode::kContainerShort, "no whole head");
  const std::uint64_t body = disk_size - kHeadBytes;
  const std::uint64_t full = body / FrameSize();
  const std::uint64_t rest = body % FrameSize();
  if (rest == 0) return full * ChunkSize();
  // No frame carries zero bytes, so each plain size has exactly one size on disk. A file cut
  // exactly between two frames still passes here: only the accumulator tells.
  if (rest <= kFrameOverhead) {
    return Fail(ErrorCode::kContainerTruncated,
                "last frame has " + std::to_string(rest) + " bytes");
  }
  return full * ChunkSize() + rest - kFrameOverhead;
}

}  // namespace sealway
