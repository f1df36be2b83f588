// One slot between bytes and fields. Layer: native container. See slot_codec.h.
#include "container/slot_codec.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_set>

#include "common/bytes.h"
#include "container/sha256.h"
#include "container/text.h"

namespace sealway {
namespace {

constexpr std::string_view kSlotMagic = "SLW1";
constexpr std::uint16_t kMajorVersion = 1;
constexpr std::size_t kLabelAt = 96;
constexpr std::size_t kLabelBytes = 64;
constexpr std::size_t kAreaAt = 160;
constexpr std::size_t kAreaBytes = 96;
constexpr std::size_t kExtensionsAt = 256;
constexpr std::size_t kExtensionsBytes = 1024;
constexpr std::size_t kExtensionHeadBytes = 4;
constexpr std::size_t kChecksumBytes = 8;

Digest32 ChecksumOf(std::span<const std::uint8_t> slot) noexcept {
  return Sha256(slot.first(kSlotChecksum));
}

// The text in a zero-padded field; nullopt when the padding is not zero or the length is out of
// range.
std::optional<std::string> ReadPadded(std::span<const std::uint8_t> field, std::size_t length) {
  if (length < 1 || length > field.size()) return std::nullopt;
  if (!IsZero(field.subspan(length))) return std::nullopt;
  return std::string(field.begin(), field.begin() + static_cast<std::ptrdiff_t>(length));
}

// A sequence of type, length, value that ends exactly at the end; types unique.
bool ExtensionsWellFormed(std::span<const std::uint8_t> bytes) {
  std::unordered_set<std::uint16_t> seen;
  while (!bytes.empty()) {
    if (bytes.size() < kExtensionHeadBytes) return false;
    const auto type = LoadLe<std::uint16_t>(bytes.data());
    const std::size_t length = LoadLe<std::uint16_t>(bytes.data() + 2);
    if (bytes.size() - kExtensionHeadBytes < length) return false;
    if (!seen.insert(type).second) return false;
    bytes = bytes.subspan(kExtensionHeadBytes + length);
  }
  return true;
}

// What is wrong with the fields, or null. Shared by reader and writer, so that nothing is written
// which would not be read.
const char* Complaint(const SlotFields& fields) {
  if (fields.chunk_log2 < kMinChunkLog2 || fields.chunk_log2 > kMaxChunkLog2) return "chunk size";
  if (fields.state != kStateSealed && fields.state != kStateOpen) return "state";
  if (fields.generation == 0) return "generation";
  if (fields.plain_size > kMaxPlainSize) return "plain size";
  if (fields.epoch == 0) return "epoch";
  if (fields.label.empty() || fields.label.size() > kLabelBytes || !IsCleanText(fields.label)) {
    return "label";
  }
  if (fields.area.empty() || fields.area.size() > kAreaBytes || !IsCleanText(fields.area)) {
    return "area";
  }
  if (fields.extensions.size() > kExtensionsBytes || !ExtensionsWellFormed(fields.extensions)) {
    return "extensions";
  }
  return nullptr;
}

Error BadField(const char* name) {
  return Fail(ErrorCode::kContainerHeader, std::string("bad field: ") + name);
}

void ReadNumbers(SlotView slot, SlotFields& fields) {
  const std::uint8_t* at = slot.data();
  fields.minor = LoadLe<std::uint16_t>(at + 6);
  fields.suite = LoadLe<std::uint16_t>(at + 8);
  fields.chunk_log2 = at[10];
  fields.state = at[11];
  fields.flags = LoadLe<std::uint32_t>(at + 12);
  fields.generation = LoadLe<std::uint64_t>(at + 16);
  fields.plain_size = LoadLe<std::uint64_t>(at + 24);
  std::copy_n(at + 32, 16, fields.file_id.begin());
  std::copy_n(at + 48, 16, fields.parent_id.begin());
  std::copy_n(at + 64, 16, fields.device_id.begin());
  fields.created_ms = LoadLe<std::uint64_t>(at + 80);
  fields.epoch = LoadLe<std::uint32_t>(at + 88);
}

void WriteNumbers(const SlotFields& fields, std::uint8_t* at) {
  std::copy(kSlotMagic.begin(), kSlotMagic.end(), at);
  StoreLe<std::uint16_t>(at + 4, kMajorVersion);
  StoreLe<std::uint16_t>(at + 6, fields.minor);
  StoreLe<std::uint16_t>(at + 8, fields.suite);
  at[10] = fields.chunk_log2;
  at[11] = fields.state;
  StoreLe<std::uint32_t>(at + 12, fields.flags);
  StoreLe<std::uint64_t>(at + 16, fields.generation);
  StoreLe<std::uint64_t>(at + 24, fields.plain_size);
  std::copy(fields.file_id.begin(), fields.file_id.end(), at + 32);
  std::copy(fields.parent_id.begin(), fields.parent_id.end(), at + 48);
  std::copy(fields.device_id.begin(), fields.device_id.end(), at + 64);
  StoreLe<std::uint64_t>(at + 80, fields.created_ms);
  StoreLe<std::uint32_t>(at + 88, fields.epoch);
}

}  // namespace

bool IsComplete(SlotView slot) noexcept {
  if (std::memcmp(slot.data(), kSlotMagic.data(), kSlotMagic.size()) != 0) return false;
  const Digest32 digest = ChecksumOf(slot);
  return std::memcmp(slot.data() + kSlotChecksum, digest.data(), kChecksumBytes) == 0;
}

std::uint64_t GenerationOf(SlotView slot) noexcept {
  return LoadLe<std::uint64_t>(slot.data() + 16);
}

Result<SlotFields> DecodeSlot(SlotView slot) {
  const auto major = LoadLe<std::uint16_t>(slot.data() + 4);
  if (major != kMajorVersion) {
    return Fail(ErrorCode::kContainerVersion, "major version " + std::to_string(major));
  }
  SlotFields fields;
  ReadNumbers(slot, fields);
  if (fields.suite != kSuiteAes256Gcm) {
    return Fail(ErrorCode::kContainerSuite, "suite " + std::to_string(fields.suite));
  }
  auto label = ReadPadded(slot.subspan(kLabelAt, kLabelBytes), slot[92]);
  if (!label) return BadField("label");
  auto area = ReadPadded(slot.subspan(kAreaAt, kAreaBytes), slot[93]);
  if (!area) return BadField("area");
  const auto extensions = slot.subspan(kExtensionsAt, kExtensionsBytes);
  const std::size_t extension_length = LoadLe<std::uint16_t>(slot.data() + 94);
  if (extension_length > kExtensionsBytes || !IsZero(extensions.subspan(extension_length))) {
    return BadField("extensions");
  }
  fields.label = *std::move(label);
  fields.area = *std::move(area);
  const auto used = extensions.first(extension_length);
  fields.extensions.assign(used.begin(), used.end());
  if (const char* complaint = Complaint(fields)) return BadField(complaint);
  return fields;
}

Status EncodeSlot(const SlotFields& fields, SlotSpan slot) {
  if (fields.suite != kSuiteAes256Gcm) {
    return Fail(ErrorCode::kContainerSuite, "suite " + std::to_string(fields.suite));
  }
  if (const char* complaint = Complaint(fields)) {
    return Fail(ErrorCode::kInvalid, std::string("bad field: ") + complaint);
  }
  std::fill(slot.begin(), slot.end(), std::uint8_t{0});
  WriteNumbers(fields, slot.data());
  slot[92] = static_cast<std::uint8_t>(fields.label.size());
  slot[93] = static_cast<std::uint8_t>(fields.area.size());
  StoreLe(slot.data() + 94, static_cast<std::uint16_t>(fields.extensions.size()));
  std::copy(fields.label.begin(), fields.label.end(), slot.data() + kLabelAt);
  std::copy(fields.area.begin(), fields.area.end(), slot.data() + kAreaAt);
  std::copy(fields.extensions.begin(), fields.extensions.end(), slot.data() + kExtensionsAt);
  return OkStatus();
}

void SetChecksum(SlotSpan slot) noexcept {
  const Digest32 digest = ChecksumOf(slot);
  std::copy_n(digest.begin(), kChecksumBytes, slot.data() + kSlotChecksum);
}

}  // namespace sealway
