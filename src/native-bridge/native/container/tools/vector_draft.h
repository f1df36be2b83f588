// A sealed file in memory that can be written rightly, and then wrongly on purpose.
//
// Layer: test tools. Failures end the process: a generator has nobody to answer to.
// Spec: docs/spec/container-v1.md.
#ifndef SEALWAY_CONTAINER_TOOLS_VECTOR_DRAFT_H_
#define SEALWAY_CONTAINER_TOOLS_VECTOR_DRAFT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "container/frame_cipher.h"
#include "container/head.h"

namespace sealway {

using ByteString = std::vector<std::uint8_t>;

// Bytes 00 01 … 1f: the label key of every vector.
[[nodiscard]] Key32 VectorKey();
// `size` bytes that do not compress and do not repeat between names.
[[nodiscard]] ByteString Document(std::string_view name, std::uint64_t size);
// Fields with every number set to something that a byte swap would change.
[[nodiscard]] SlotFields VectorFields(std::uint8_t chunk_log2);

class VectorDraft {
 public:
  explicit VectorDraft(const SlotFields& fields,
                       std::string_view preamble_text = DefaultPreambleText());

  // The whole life of an ordinary file: open, frames of `plain`, sealed.
  static VectorDraft Sealed(const SlotFields& fields, const ByteString& plain);
  static VectorDraft Open(const SlotFields& fields, const ByteString& plain);

  // Frames.
  void WriteAll(const ByteString& plain);
  void WriteFrame(std::uint64_t index, const ByteString& plain);
  void WriteHole(std::uint64_t index, std::uint64_t plain_bytes);
  [[nodiscard]] ByteString Frame(std::uint64_t index) const;
  void PutBytes(std::uint64_t disk_offset, const ByteString& bytes);
  [[nodiscard]] std::uint64_t FrameOffset(std::uint64_t index) const;

  // Slots, in the order a file system writes them.
  void Close();
  void Reopen();
  void Relabel(std::string_view label, std::string_view area, std::uint32_t epoch,
               const Key32& new_key);

  // Changes `slot`'s bytes, then encrypts its secret and sets its checksum anew, so that the reader
  // meets the change itself and not a broken checksum or tag.
  void Forge(int slot, const std::function<void(std::uint8_t*)>& change);
  // Changes bytes and repairs the checksum only: what somebody without the key can do.
  void Tamper(int slot, const std::function<void(std::uint8_t*)>& change);
  // Leaves the first `bytes` of the next slot on disk, as a cut during its write would.
  void TearNextSlot(std::size_t bytes);

  [[nodiscard]] int SlotInForce() const { return head_.slot_index; }
  [[nodiscard]] const ByteString& Bytes() const { return bytes_; }
  [[nodiscard]] ByteString& Mutable() { return bytes_; }

 private:
  void PutSlot(const SlotFields& fields);

  ParsedHead head_;
  HeadSecret secret_;
  Key32 label_key_;
  std::unique_ptr<FrameCipher> cipher_;
  std::map<std::uint64_t, Digest32> digests_;  // of frames that are not holes
  ByteString bytes_;
};

}  // namespace sealway

#endif  // SEALWAY_CONTAINER_TOOLS_VECTOR_DRAFT_H_
