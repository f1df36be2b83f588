// The accumulator over the frames on disk, from their tags alone. Layer: native container.
// Spec: docs/spec/container-v1.md, section 6. See whole_file.h.
#include <fcntl.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/bytes.h"
#include "common/io.h"
#include "container/whole_file.h"

namespace sealway {
namespace {

// Tags lie a frame apart, so the kernel sees no sequence and would fetch page by page. Asking for a
// few megabytes ahead turns that into large reads.
constexpr std::uint64_t kAheadBytes = 4U << 20;

class TagScan {
 public:
  TagScan(int fd, Geometry geometry, const FrameCipher& cipher, std::uint64_t disk_size,
          std::uint64_t plain_size)
      : fd_(fd),
        geometry_(geometry),
        cipher_(cipher),
        disk_size_(disk_size),
        plain_size_(plain_size),
        frames_(geometry.FrameCount(plain_size)) {}

  Result<Digest32> Run() {
    for (std::uint64_t index = 0; index < frames_;) {
      FetchAhead(geometry_.FrameOffset(index));
      auto hole = AddFrame(index);
      if (!hole) return hole.GetError();
      index = *hole ? NextWithData(index) : index + 1;
    }
    return accumulator_;
  }

 private:
  void FetchAhead(std::uint64_t disk_offset) {
    if (disk_offset + kAheadBytes / 2 < fetched_to_) return;
    ::posix_fadvise(fd_, static_cast<off_t>(std::max(disk_offset, fetched_to_)),
                    static_cast<off_t>(kAheadBytes), POSIX_FADV_WILLNEED);
    fetched_to_ = std::max(disk_offset, fetched_to_) + kAheadBytes;
  }

  Status ReadExactly(std::span<std::uint8_t> out, std::uint64_t offset) const {
    const auto got = PreadUpTo(fd_, out, offset);
    if (!got) return got.GetError();
    if (*got != out.size()) return Fail(ErrorCode::kContainerTruncated, "the file became shorter");
    return OkStatus();
  }

  // True when frame `index` has neither nonce nor tag. If it has ciphertext all the same, whoever
  // reads it gets kContainerChunk; it adds nothing here either way.
  Result<bool> AddFrame(std::uint64_t index) {
    const std::uint64_t start = geometry_.FrameOffset(index);
    const std::uint64_t plain = geometry_.PlainBytesIn(index, plain_size_);
    std::array<std::uint8_t, kTagBytes> tag;
    if (auto read = ReadExactly(tag, start + kNonceBytes + plain); !read) return read.GetError();
    if (IsZero(tag)) {
      std::array<std::uint8_t, kNonceBytes> nonce;
      if (auto read = ReadExactly(nonce, start); !read) return read.GetError();
      if (IsZero(nonce)) return true;
    }
    XorInto(accumulator_, cipher_.TagDigest(index, tag.data()));
    return false;
  }

  // The first frame after `index` that the file system holds bytes of; the next one when it cannot
  // tell.
  std::uint64_t NextWithData(std::uint64_t index) const {
    const std::uint64_t next = geometry_.FrameOffset(index + 1);
    if (next >= disk_size_) return frames_;
    const off_t data = ::lseek(fd_, static_cast<off_t>(next), SEEK_DATA);
    if (data < 0) return errno == ENXIO ? frames_ : index + 1;
    const auto at = static_cast<std::uint64_t>(data);
    return at <= next ? index + 1 : (at - kHeadBytes) / geometry_.FrameSize();
  }

  int fd_;
  Geometry geometry_;
  const FrameCipher& cipher_;
  std::uint64_t disk_size_;
  std::uint64_t plain_size_;
  std::uint64_t frames_;
  std::uint64_t fetched_to_ = 0;
  Digest32 accumulator_{};
};

}  // namespace

Result<Digest32> ScanAccumulator(int fd, Geometry geometry, const FrameCipher& cipher,
                                 std::uint64_t disk_size) {
  const auto plain_size = geometry.PlainSize(disk_size);
  if (!plain_size) return plain_size.GetError();
  return TagScan(fd, geometry, cipher, disk_size, *plain_size).Run();
}

bool SameDigest(const Digest32& a, const Digest32& b) noexcept {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace sealway
