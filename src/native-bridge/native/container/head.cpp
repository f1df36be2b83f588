// The head of a sealed file. Layer: native container. See head.h.
#include "container/head.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

#include "common/bytes.h"
#include "container/crypto.h"
#include "container/random.h"
#include "container/slot_codec.h"
#include "container/text.h"

namespace sealway {
namespace {

constexpr std::string_view kMagic = "SEALWAY1";
constexpr std::size_t kTextAt = 9;
constexpr std::size_t kTextBytes = 502;
constexpr std::string_view kHeaderKeyInfo = "sealway/1 header";
// SP 800-38D section 8.3: no more than 2^32 messages with random nonces under one key.
constexpr std::uint64_t kMaxGeneration = std::uint64_t{1} << 32;

SlotView ViewSlot(const HeadBytes& head, int index) {
  return SlotView(head.data() + kSlotOffset[static_cast<std::size_t>(index)], kSlotBytes);
}

// The pieces of the associated data, in the order of section 4.
struct HeadAad {
  Bytes preamble, clear, tail, reserved;
};

HeadAad AadOf(const HeadBytes& head, SlotView slot) {
  return {Bytes(head.data(), kPreambleBytes), slot.first(kSlotClearBytes),
          slot.subspan(kSlotTail, kSlotChecksum - kSlotTail),
          Bytes(head.data() + kReservedOffset, kReservedBytes)};
}

// fileKey ‖ accumulator, wiped when it goes.
struct SecretBytes {
  std::array<std::uint8_t, kSlotSecretBytes> bytes{};
  SecretBytes() = default;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

// Fills in nonce, secret, tag and checksum of `slot`, whose clear part is written. `head` gives the
// preamble and the reserved region.
Status SealSlot(const HeadBytes& head, SlotSpan slot, const SlotFields& fields,
                const HeadSecret& secret, const Key32& label_key) {
  const auto key = DeriveKey(label_key, fields.file_id, kHeaderKeyInfo);
  if (!key) return Fail(ErrorCode::kCrypto, "header key");
  std::uint8_t* nonce = slot.data() + kSlotSecretNonce;
  if (!FillRandom(std::span(nonce, kNonceBytes))) return Fail(ErrorCode::kCrypto, "random source");
  SecretBytes plain;
  std::memcpy(plain.bytes.data(), secret.file_key.Data(), Key32::kBytes);
  if (fields.state == kStateSealed) {
    std::copy(secret.accumulator.begin(), secret.accumulator.end(),
              plain.bytes.begin() + Key32::kBytes);
  }
  const HeadAad aad = AadOf(head, slot);
  if (!GcmSeal(*key, nonce, {aad.preamble, aad.clear, aad.tail, aad.reserved}, plain.bytes,
               slot.data() + kSlotSecret, slot.data() + kSlotSecretTag)) {
    return Fail(ErrorCode::kCrypto, "head encryption");
  }
  SetChecksum(slot);
  return OkStatus();
}

Status WritePreamble(HeadBytes& head, std::string_view text) {
  if (text.size() > kTextBytes || !IsCleanText(text, 1)) {
    return Fail(ErrorCode::kInvalid, "preamble text");
  }
  std::fill_n(head.begin(), kPreambleBytes, std::uint8_t{' '});
  std::copy(kMagic.begin(), kMagic.end(), head.begin());
  std::copy(text.begin(), text.end(), head.begin() + kTextAt);
  head[kPreambleBytes - 1] = '\n';
  return OkStatus();
}

// Index of the slot in force, -1 when neither is complete.
int ChooseSlot(const std::array<bool, 2>& complete, const HeadBytes& head) {
  if (complete[0] && complete[1]) {
    return GenerationOf(ViewSlot(head, 1)) > GenerationOf(ViewSlot(head, 0)) ? 1 : 0;
  }
  if (complete[0]) return 0;
  return complete[1] ? 1 : -1;
}

}  // namespace

bool HasMagic(std::span<const std::uint8_t> bytes) noexcept {
  return bytes.size() >= kMagic.size() &&
         std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

std::string_view DefaultPreambleText() noexcept {
  return "This file is sealed by Sealway. It opens only for people whom its owner allows: ask the "
         "sender or your IT desk, or see sealway info.\n";
}

Result<ParsedHead> ParseHead(std::span<const std::uint8_t> bytes) {
  if (!HasMagic(bytes)) return Fail(ErrorCode::kContainerMagic, "not a sealed file");
  if (bytes.size() < kHeadBytes) {
    return Fail(ErrorCode::kContainerShort, std::to_string(bytes.size()) + " bytes");
  }
  ParsedHead head;
  std::copy_n(bytes.begin(), kHeadBytes, head.raw.begin());
  const std::array<bool, 2> complete = {IsComplete(ViewSlot(head.raw, 0)),
                                        IsComplete(ViewSlot(head.raw, 1))};
  head.slot_index = ChooseSlot(complete, head.raw);
  if (head.slot_index < 0) return Fail(ErrorCode::kContainerHeader, "no complete slot");
  const int other = 1 - head.slot_index;
  head.slot_damaged =
      !complete[static_cast<std::size_t>(other)] && !IsZero(ViewSlot(head.raw, other));
  auto fields = DecodeSlot(ViewSlot(head.raw, head.slot_index));
  if (!fields) return fields.GetError();
  head.fields = *std::move(fields);
  return head;
}

Result<HeadSecret> OpenSecret(const ParsedHead& head, const Key32& label_key) {
  const auto key = DeriveKey(label_key, head.fields.file_id, kHeaderKeyInfo);
  if (!key) return Fail(ErrorCode::kCrypto, "header key");
  const SlotView slot = ViewSlot(head.raw, head.slot_index);
  const HeadAad aad = AadOf(head.raw, slot);
  SecretBytes plain;
  if (!GcmOpen(*key, slot.data() + kSlotSecretNonce,
               {aad.preamble, aad.clear, aad.tail, aad.reserved},
               slot.subspan(kSlotSecret, kSlotSecretBytes), plain.bytes.data(),
               slot.data() + kSlotSecretTag)) {
    return Fail(ErrorCode::kContainerKey, "the head does not authenticate");
  }
  HeadSecret secret{
      Key32(std::span<const std::uint8_t, Key32::kBytes>(plain.bytes.data(), Key32::kBytes)), {}};
  std::copy_n(plain.bytes.begin() + Key32::kBytes, secret.accumulator.size(),
              secret.accumulator.begin());
  return secret;
}

Result<FileId> NewFileId() {
  FileId id;
  if (!FillRandom(id)) return Fail(ErrorCode::kCrypto, "random source");
  return id;
}

Result<HeadSecret> NewHeadSecret() {
  HeadSecret secret;
  if (!FillRandom(secret.file_key.Mutable())) return Fail(ErrorCode::kCrypto, "random source");
  return secret;
}

Result<HeadBytes> MakeHead(const SlotFields& fields, const HeadSecret& secret,
                           const Key32& label_key, std::string_view preamble_text) {
  HeadBytes head{};
  if (auto status = WritePreamble(head, preamble_text); !status) return status.GetError();
  SlotFields first = fields;
  first.generation = 1;
  first.state = kStateOpen;
  first.plain_size = 0;
  const SlotSpan slot(head.data() + kSlotOffset[0], kSlotBytes);
  if (auto status = EncodeSlot(first, slot); !status) return status.GetError();
  if (auto status = SealSlot(head, slot, first, secret, label_key); !status) {
    return status.GetError();
  }
  return head;
}

Result<SlotWrite> NextSlot(ParsedHead& head, const SlotFields& new_fields, const HeadSecret& secret,
                           const Key32& label_key) {
  if (new_fields.file_id != head.fields.file_id ||
      new_fields.chunk_log2 != head.fields.chunk_log2) {
    return Fail(ErrorCode::kInvalid, "file id and chunk size are kept for life");
  }
  if (head.fields.generation >= kMaxGeneration) {
    return Fail(ErrorCode::kInvalid, "2^32 slots written: make a new file");
  }
  SlotFields fields = new_fields;
  fields.minor = 0;  // what this writer writes
  fields.generation = head.fields.generation + 1;
  if (fields.state == kStateOpen) fields.plain_size = 0;
  const int index = 1 - head.slot_index;
  SlotWrite write{kSlotOffset[static_cast<std::size_t>(index)], {}};
  const SlotSpan slot(write.bytes);
  if (auto status = EncodeSlot(fields, slot); !status) return status.GetError();
  if (auto status = SealSlot(head.raw, slot, fields, secret, label_key); !status) {
    return status.GetError();
  }
  std::copy(write.bytes.begin(), write.bytes.end(),
            head.raw.begin() + static_cast<std::ptrdiff_t>(write.disk_offset));
  head.fields = std::move(fields);
  head.slot_index = index;
  head.slot_damaged = false;  // the damaged one has just been replaced
  return write;
}

}  // namespace sealway
