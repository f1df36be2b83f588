// The head of a sealed file: preamble, two slots of which one is in force, reserved region.
//
// Layer: native container. Bytes in, bytes out; no I/O. Threads: values, no hidden state.
// Spec: docs/spec/container-v1.md, sections 2, 3, 4 and 7.
// Order of writes (the caller's, see section 6): slot with state 2, fdatasync, frames, fdatasync,
//   slot with state 1. NextSlot never touches the slot in force, so a cut at any byte of the write
//   leaves the old one in force.
#ifndef SEALWAY_CONTAINER_HEAD_H_
#define SEALWAY_CONTAINER_HEAD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "common/secret.h"
#include "container/geometry.h"

namespace sealway {

using FileId = std::array<std::uint8_t, 16>;
using Digest32 = std::array<std::uint8_t, 32>;

inline constexpr std::size_t kPreambleBytes = 512;
inline constexpr std::size_t kSlotBytes = 1536;
inline constexpr std::array<std::size_t, 2> kSlotOffset = {512, 2048};
inline constexpr std::size_t kReservedOffset = 3584;
inline constexpr std::size_t kReservedBytes = 512;
inline constexpr std::size_t kMagicBytes = 8;

inline constexpr std::uint16_t kSuiteAes256Gcm = 1;
inline constexpr std::uint8_t kStateSealed = 1;
inline constexpr std::uint8_t kStateOpen = 2;
inline constexpr std::uint32_t kFlagPersonal = 1U << 0;
inline constexpr std::uint32_t kFlagSensitivePersonal = 1U << 1;
inline constexpr std::uint16_t kExtensionOriginName = 0x0001;

using HeadBytes = std::array<std::uint8_t, kHeadBytes>;

// What a slot says in clear. A claim until OpenSecret has authenticated the head.
struct SlotFields {
  std::uint16_t minor = 0;
  std::uint16_t suite = kSuiteAes256Gcm;
  std::uint8_t chunk_log2 = kDefaultChunkLog2;
  std::uint8_t state = kStateOpen;
  std::uint32_t flags = 0;
  std::uint64_t generation = 1;
  std::uint64_t plain_size = 0;  // meaningful with kStateSealed only
  FileId file_id{};
  FileId parent_id{};
  FileId device_id{};
  std::uint64_t created_ms = 0;
  std::uint32_t epoch = 1;
  std::string label;
  std::string area;
  std::vector<std::uint8_t> extensions;

  [[nodiscard]] Geometry Layout() const noexcept { return Geometry{chunk_log2}; }
  bool operator==(const SlotFields&) const = default;
};

struct ParsedHead {
  SlotFields fields;
  int slot_index = 0;         // 0 = A, 1 = B: the slot in force
  bool slot_damaged = false;  // the other slot is neither complete nor all zero: a finding
  HeadBytes raw{};
};

// What only the holder of the label key reads.
struct HeadSecret {
  Key32 file_key;
  Digest32 accumulator{};
};

// True when `bytes` begin with the magic. Fewer than 8 bytes: false.
[[nodiscard]] bool HasMagic(std::span<const std::uint8_t> bytes) noexcept;

// Section 7, steps 1 to 4, without keys. `bytes` are the file's first kHeadBytes, or all it has;
// more are ignored.
//
// kContainerMagic (fewer than 8 bytes too), kContainerShort, kContainerHeader, kContainerVersion,
// kContainerSuite.
[[nodiscard]] Result<ParsedHead> ParseHead(std::span<const std::uint8_t> bytes);

// Step 5. kContainerKey: wrong key or changed head, which nobody can tell apart. Never falls back
// to the other slot.
[[nodiscard]] Result<HeadSecret> OpenSecret(const ParsedHead& head, const Key32& label_key);

// 16 random bytes for a new file. kCrypto when the random source fails.
[[nodiscard]] Result<FileId> NewFileId();
// A fresh file key with a zero accumulator.
[[nodiscard]] Result<HeadSecret> NewHeadSecret();

// The preamble's text unless the tenant has its own.
[[nodiscard]] std::string_view DefaultPreambleText() noexcept;

// The head of a new file: slot A with generation 1, state open, plain size and accumulator zero
// (whatever `fields` and `secret` say of these), slot B all zero.
//
// kInvalid: a field or the text is out of the format's range (text: UTF-8 of at most 502 bytes, no
// control characters but one newline). kContainerSuite: a suite that is not implemented.
[[nodiscard]] Result<HeadBytes> MakeHead(const SlotFields& fields, const HeadSecret& secret,
                                         const Key32& label_key,
                                         std::string_view preamble_text = DefaultPreambleText());

struct SlotWrite {
  std::uint64_t disk_offset = 0;
  std::array<std::uint8_t, kSlotBytes> bytes{};
};

// Builds the slot that is not in force, generation + 1, and moves `head` to it. `new_fields` gives
// everything but generation and minor version; with kStateOpen plain size and accumulator are
// written as zero. Start from a copy of head.fields, so that flags and extensions this version does
// not know are kept. `label_key` is the key of new_fields' (area, label, epoch).
//
// If the caller's write fails, `head` is ahead of the disk: read the head again before going on.
// Only call it on a head that OpenSecret has authenticated: it vouches for all that `head.raw`
// holds outside the slot.
//
// kInvalid: a field out of range, another file id or chunk size than the head's, or 2^32 slots
// written (section 4, limits). `head` is unchanged on failure.
[[nodiscard]] Result<SlotWrite> NextSlot(ParsedHead& head, const SlotFields& new_fields,
                                         const HeadSecret& secret, const Key32& label_key);

}  // namespace sealway

#endif  // SEALWAY_CONTAINER_HEAD_H_
