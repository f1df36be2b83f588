// Whole files: sealing and opening. Layer: native container, with I/O. See whole_file.h.
#include "container/whole_file.h"

#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "common/bytes.h"
#include "common/io.h"

namespace sealway {
namespace {

// Document bytes handled between two system calls: a multiple of every chunk size.
constexpr std::uint64_t kBatchBytes = std::uint64_t{1} << kMaxChunkLog2;

// A buffer for plaintext, wiped when it goes.
class PlainBuffer {
 public:
  PlainBuffer() : bytes_(kBatchBytes) {}
  PlainBuffer(const PlainBuffer&) = delete;
  PlainBuffer& operator=(const PlainBuffer&) = delete;
  ~PlainBuffer() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  std::span<std::uint8_t> All() { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

Result<std::uint64_t> SizeOf(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return FailErrno(errno, "fstat failed");
  return static_cast<std::uint64_t>(status.st_size);
}

Status MakeDurable(int fd) {
  return ::fdatasync(fd) == 0 ? OkStatus() : Status(FailErrno(errno, "fdatasync failed"));
}

std::size_t FramesBytes(Geometry geometry, std::size_t plain_bytes) {
  return static_cast<std::size_t>(geometry.DiskSize(plain_bytes) - kHeadBytes);
}

class FrameWriter {
 public:
  FrameWriter(int fd, Geometry geometry, const FrameCipher& cipher)
      : fd_(fd),
        geometry_(geometry),
        cipher_(cipher),
        frames_(FramesBytes(geometry, static_cast<std::size_t>(kBatchBytes))) {}

  // `plain` is a whole batch, or the document's end.
  Status Append(std::span<const std::uint8_t> plain) {
    const std::uint64_t first = geometry_.ChunkOf(plain_size_);
    const std::size_t bytes = FramesBytes(geometry_, plain.size());
    std::uint8_t* at = frames_.data();
    plain_size_ += plain.size();
    for (std::uint64_t index = first; !plain.empty(); ++index) {
      const auto chunk = plain.first(std::min<std::size_t>(plain.size(), geometry_.ChunkSize()));
      if (!cipher_.Seal(index, chunk, at)) return Fail(ErrorCode::kCrypto, "frame encryption");
      at += chunk.size() + kFrameOverhead;
      XorInto(accumulator_, cipher_.TagDigest(index, at - kTagBytes));
      plain = plain.subspan(chunk.size());
    }
    return PwriteAll(fd_, std::span(frames_).first(bytes), geometry_.FrameOffset(first));
  }

  std::uint64_t plain_size() const { return plain_size_; }
  const Digest32& accumulator() const { return accumulator_; }

 private:
  int fd_;
  Geometry geometry_;
  const FrameCipher& cipher_;
  std::vector<std::uint8_t> frames_;
  std::uint64_t plain_size_ = 0;
  Digest32 accumulator_{};
};

Status CopyIn(int in_fd, FrameWriter& writer) {
  PlainBuffer buffer;
  for (;;) {
    const auto got = ReadUpTo(in_fd, buffer.All());
    if (!got) return got.GetError();
    if (*got != 0) {
      auto status = writer.Append(buffer.All().first(*got));
      if (!status) return status;
    }
    if (*got < kBatchBytes) return OkStatus();
  }
}

// Reads, opens and writes out batch after batch, and works out the accumulator of what it read.
class FrameReader {
 public:
  FrameReader(int fd, Geometry geometry, const FrameCipher& cipher, std::uint64_t plain_size)
      : fd_(fd),
        geometry_(geometry),
        cipher_(cipher),
        plain_size_(plain_size),
        frames_(FramesBytes(geometry, static_cast<std::size_t>(kBatchBytes))) {}

  static constexpr int kNowhere = -1;  // authenticate only

  Status CopyOut(int out_fd) {
    for (std::uint64_t at = 0; at < plain_size_; at += kBatchBytes) {
      const auto bytes = static_cast<std::size_t>(std::min(plain_size_ - at, kBatchBytes));
      const auto plain = plain_.All().first(bytes);
      if (auto status = OpenBatch(at, plain); !status) return status;
      if (out_fd == kNowhere) continue;
      if (auto status = WriteAll(out_fd, plain); !status) return status;
    }
    return OkStatus();
  }

  const Digest32& accumulator() const { return accumulator_; }

 private:
  Status OpenBatch(std::uint64_t plain_offset, std::span<std::uint8_t> plain) {
    std::uint64_t index = geometry_.ChunkOf(plain_offset);
    std::span<std::uint8_t> frames = std::span(frames_).first(FramesBytes(geometry_, plain.size()));
    const auto got = PreadUpTo(fd_, frames, geometry_.FrameOffset(index));
    if (!got) return got.GetError();
    if (*got != frames.size()) {
      return Fail(ErrorCode::kContainerTruncated, "the file became shorter");
    }
    for (; !plain.empty(); ++index) {
      const std::size_t bytes = std::min<std::size_t>(plain.size(), geometry_.ChunkSize());
      if (auto status = OpenFrame(index, frames.first(bytes + kFrameOverhead), plain.data());
          !status) {
        return status;
      }
      plain = plain.subspan(bytes);
      frames = frames.subspan(bytes + kFrameOverhead);
    }
    return OkStatus();
  }

  Status OpenFrame(std::uint64_t index, std::span<const std::uint8_t> frame, std::uint8_t* plain) {
    bool hole = false;
    if (!cipher_.Open(index, frame, plain, &hole)) {
      return Fail(ErrorCode::kContainerChunk, "chunk " + std::to_string(index));
    }
    if (!hole) XorInto(accumulator_, cipher_.TagDigest(index, &*(frame.end() - kTagBytes)));
    return OkStatus();
  }

  int fd_;
  Geometry geometry_;
  const FrameCipher& cipher_;
  std::uint64_t plain_size_;
  std::vector<std::uint8_t> frames_;
  PlainBuffer plain_;
  Digest32 accumulator_{};
};

Status SealBody(int in_fd, int out_fd, ParsedHead& head, HeadSecret& secret,
                const Key32& label_key) {
  const FrameCipher cipher(secret.file_key, head.fields.file_id);
  FrameWriter writer(out_fd, head.fields.Layout(), cipher);
  if (auto status = CopyIn(in_fd, writer); !status) return status;
  if (auto status = MakeDurable(out_fd); !status) return status;
  SlotFields fields = head.fields;
  fields.state = kStateSealed;
  fields.plain_size = writer.plain_size();
  secret.accumulator = writer.accumulator();
  const auto slot = NextSlot(head, fields, secret, label_key);
  if (!slot) return slot.GetError();
  if (auto status = PwriteAll(out_fd, slot->bytes, slot->disk_offset); !status) return status;
  return MakeDurable(out_fd);
}

// The tags are not those that were sealed. Looks at the frames once more, without any output, to
// tell damage (kContainerChunk, naming the chunk) from authentic frames that do not belong
// together.
Error WhySealBroke(FrameReader& reader) {
  if (auto status = reader.CopyOut(FrameReader::kNowhere); !status) return status.GetError();
  return Fail(ErrorCode::kContainerSeal, "the frames are not those that were sealed");
}

Status OpenBody(int in_fd, int out_fd, const ParsedHead& head, const HeadSecret& secret,
                std::uint64_t disk_size, std::uint64_t plain_size) {
  const FrameCipher cipher(secret.file_key, head.fields.file_id);
  const Geometry geometry = head.fields.Layout();
  const bool sealed = head.fields.state == kStateSealed;
  FrameReader reader(in_fd, geometry, cipher, plain_size);
  if (sealed) {
    const auto scanned = ScanAccumulator(in_fd, geometry, cipher, disk_size);
    if (!scanned) return scanned.GetError();
    if (!SameDigest(*scanned, secret.accumulator)) return WhySealBroke(reader);
  }
  if (auto status = reader.CopyOut(out_fd); !status) return status;
  // Attack: frames exchanged between the scan and the reading.
  if (sealed && !SameDigest(reader.accumulator(), secret.accumulator)) {
    return Fail(ErrorCode::kContainerSeal, "the file changed while it was read");
  }
  return OkStatus();
}

}  // namespace

Result<ParsedHead> ReadHead(int fd) {
  HeadBytes bytes;
  const auto got = PreadUpTo(fd, bytes, 0);
  if (!got) return got.GetError();
  return ParseHead(std::span(bytes).first(*got));
}

Result<std::uint64_t> CheckedPlainSize(const SlotFields& fields, std::uint64_t disk_size) {
  auto plain_size = fields.Layout().PlainSize(disk_size);
  if (!plain_size || fields.state != kStateSealed) return plain_size;
  if (*plain_size < fields.plain_size) {
    return Fail(ErrorCode::kContainerTruncated, "shorter than it was when sealed");
  }
  if (*plain_size > fields.plain_size) {
    return Fail(ErrorCode::kContainerSeal, "longer than it was when sealed");
  }
  return plain_size;
}

Result<SlotFields> SealFile(int in_fd, int out_fd, SlotFields fields, const Key32& label_key) {
  if (IsZero(fields.file_id)) {
    const auto id = NewFileId();
    if (!id) return id.GetError();
    fields.file_id = *id;
  }
  auto secret = NewHeadSecret();
  if (!secret) return secret.GetError();
  const auto bytes = MakeHead(fields, *secret, label_key);
  if (!bytes) return bytes.GetError();
  if (auto status = PwriteAll(out_fd, *bytes, 0); !status) return status.GetError();
  if (auto status = MakeDurable(out_fd); !status) return status.GetError();
  auto head = ParseHead(*bytes);
  if (!head) return head.GetError();
  if (auto status = SealBody(in_fd, out_fd, *head, *secret, label_key); !status) {
    return status.GetError();
  }
  return head->fields;
}

Result<OpenedFile> OpenFile(int in_fd, int out_fd, const Key32& label_key) {
  const auto head = ReadHead(in_fd);
  if (!head) return head.GetError();
  const auto secret = OpenSecret(*head, label_key);
  if (!secret) return secret.GetError();
  const auto disk_size = SizeOf(in_fd);
  if (!disk_size) return disk_size.GetError();
  const auto plain_size = CheckedPlainSize(head->fields, *disk_size);
  if (!plain_size) return plain_size.GetError();
  if (auto status = OpenBody(in_fd, out_fd, *head, *secret, *disk_size, *plain_size); !status) {
    return status.GetError();
  }
  return OpenedFile{head->fields, *plain_size, head->fields.state == kStateOpen,
                    head->slot_damaged};
}

}  // namespace sealway
