// A sealed file in memory. Layer: test tools. See vector_draft.h.
#include "container/tools/vector_draft.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "container/crypto.h"
#include "container/random.h"
#include "container/sha256.h"
#include "container/slot_codec.h"

namespace sealway {
namespace {

template <class T>
T Must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "make_vectors: %s: %s\n", Name(result.Code()).data(),
                 result.GetError().detail.c_str());
    std::abort();
  }
  return std::move(result).Value();
}

template <std::size_t N>
std::array<std::uint8_t, N> Counting(std::uint8_t first) {
  std::array<std::uint8_t, N> bytes;
  for (std::size_t i = 0; i < N; ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}

}  // namespace

Key32 VectorKey() { return Key32(Counting<Key32::kBytes>(0)); }

ByteString Document(std::string_view name, std::uint64_t size) {
  ByteString document;
  for (std::uint64_t block = 0; document.size() < size; ++block) {
    const std::string text = "document/" + std::string(name) + "/" + std::to_string(block);
    const Digest32 digest = Sha256(ByteString(text.begin(), text.end()));
    document.insert(document.end(), digest.begin(), digest.end());
  }
  document.resize(size);
  return document;
}

SlotFields VectorFields(std::uint8_t chunk_log2) {
  SlotFields fields;
  fields.chunk_log2 = chunk_log2;
  fields.flags = kFlagPersonal;
  fields.device_id = Counting<16>(0xD0);
  fields.created_ms = 1767225600123;  // 2026-01-01T00:00:00.123Z
  fields.epoch = 0x01020304;
  fields.label = "confidential";
  fields.area = "research";
  return fields;
}

VectorDraft::VectorDraft(const SlotFields& fields, std::string_view preamble_text)
    : head_([&] {
        ParsedHead head;
        head.fields = fields;
        head.fields.file_id = Must(NewFileId());
        return head;
      }()),
      secret_(Must(NewHeadSecret())),
      label_key_(VectorKey()),
      cipher_(std::make_unique<FrameCipher>(secret_.file_key, head_.fields.file_id)) {
  const HeadBytes bytes = Must(MakeHead(head_.fields, secret_, label_key_, preamble_text));
  bytes_.assign(bytes.begin(), bytes.end());
  head_ = Must(ParseHead(bytes_));
}

VectorDraft VectorDraft::Sealed(const SlotFields& fields, const ByteString& plain) {
  VectorDraft draft(fields);
  draft.WriteAll(plain);
  draft.Close();
  return draft;
}

VectorDraft VectorDraft::Open(const SlotFields& fields, const ByteString& plain) {
  VectorDraft draft(fields);
  draft.WriteAll(plain);
  return draft;
}

void VectorDraft::WriteAll(const ByteString& plain) {
  const std::uint64_t chunk = head_.fields.Layout().ChunkSize();
  for (std::uint64_t at = 0; at < plain.size(); at += chunk) {
    const auto end = std::min<std::uint64_t>(at + chunk, plain.size());
    WriteFrame(at / chunk, ByteString(plain.begin() + static_cast<std::ptrdiff_t>(at),
                                      plain.begin() + static_cast<std::ptrdiff_t>(end)));
  }
}

void VectorDraft::WriteFrame(std::uint64_t index, const ByteString& plain) {
  ByteString frame(plain.size() + kFrameOverhead);
  if (!cipher_->Seal(index, plain, frame.data())) std::abort();
  digests_[index] = cipher_->TagDigest(index, frame.data() + frame.size() - kTagBytes);
  PutBytes(FrameOffset(index), frame);
}

void VectorDraft::WriteHole(std::uint64_t index, std::uint64_t plain_bytes) {
  digests_.erase(index);
  PutBytes(FrameOffset(index), ByteString(plain_bytes + kFrameOverhead));
}

ByteString VectorDraft::Frame(std::uint64_t index) const {
  const std::uint64_t end = std::min<std::uint64_t>(FrameOffset(index + 1), bytes_.size());
  return ByteString(bytes_.begin() + static_cast<std::ptrdiff_t>(FrameOffset(index)),
                    bytes_.begin() + static_cast<std::ptrdiff_t>(end));
}

void VectorDraft::PutBytes(std::uint64_t disk_offset, const ByteString& bytes) {
  bytes_.resize(std::max<std::size_t>(bytes_.size(), disk_offset + bytes.size()));
  std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(disk_offset));
}

std::uint64_t VectorDraft::FrameOffset(std::uint64_t index) const {
  return head_.fields.Layout().FrameOffset(index);
}

void VectorDraft::PutSlot(const SlotFields& fields) {
  const SlotWrite write = Must(NextSlot(head_, fields, secret_, label_key_));
  PutBytes(write.disk_offset, ByteString(write.bytes.begin(), write.bytes.end()));
}

void VectorDraft::Close() {
  SlotFields fields = head_.fields;
  fields.state = kStateSealed;
  fields.plain_size = Must(fields.Layout().PlainSize(bytes_.size()));
  secret_.accumulator = {};
  for (const auto& [index, digest] : digests_) XorInto(secret_.accumulator, digest);
  PutSlot(fields);
}

void VectorDraft::Reopen() {
  SlotFields fields = head_.fields;
  fields.state = kStateOpen;
  PutSlot(fields);
}

void VectorDraft::Relabel(std::string_view label, std::string_view area, std::uint32_t epoch,
                          const Key32& new_key) {
  SlotFields fields = head_.fields;
  fields.label = label;
  fields.area = area;
  fields.epoch = epoch;
  label_key_ = new_key.Clone();
  PutSlot(fields);
}

void VectorDraft::Tamper(int slot, const std::function<void(std::uint8_t*)>& change) {
  std::uint8_t* at = bytes_.data() + kSlotOffset[static_cast<std::size_t>(slot)];
  change(at);
  SetChecksum(SlotSpan(at, kSlotBytes));
}

void VectorDraft::Forge(int slot, const std::function<void(std::uint8_t*)>& change) {
  Tamper(slot, [&](std::uint8_t* at) {
    change(at);
    const auto key = DeriveKey(label_key_, head_.fields.file_id, "sealway/1 header");
    ByteString plain(secret_.file_key.Bytes().begin(), secret_.file_key.Bytes().end());
    plain.insert(plain.end(), secret_.accumulator.begin(), secret_.accumulator.end());
    std::uint8_t* nonce = at + kSlotSecretNonce;
    const bool sealed =
        FillRandom(std::span(nonce, kNonceBytes)) &&
        GcmSeal(*key, nonce,
                {sealway::Bytes(bytes_.data(), kPreambleBytes), sealway::Bytes(at, kSlotClearBytes),
                 sealway::Bytes(at + kSlotTail, kSlotChecksum - kSlotTail),
                 sealway::Bytes(bytes_.data() + kReservedOffset, kReservedBytes)},
                plain, at + kSlotSecret, at + kSlotSecretTag);
    if (!sealed) std::abort();
  });
}

void VectorDraft::TearNextSlot(std::size_t bytes) {
  SlotFields fields = head_.fields;
  fields.state = kStateOpen;
  ParsedHead torn = head_;
  const SlotWrite write = Must(NextSlot(torn, fields, secret_, label_key_));
  PutBytes(write.disk_offset, ByteString(write.bytes.begin(),
                                         write.bytes.begin() + static_cast<std::ptrdiff_t>(bytes)));
}

}  // namespace sealway
