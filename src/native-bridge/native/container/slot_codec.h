// One slot between bytes and fields: completeness, decoding with every range check, encoding.
//
// Layer: native container. Threads: pure functions. Spec: docs/spec/container-v1.md, sections 3, 9.
// Not here: which slot is in force and the encrypted secret (head.cpp).
#ifndef SEALWAY_CONTAINER_SLOT_CODEC_H_
#define SEALWAY_CONTAINER_SLOT_CODEC_H_

#include <cstdint>
#include <span>

#include "common/result.h"
#include "container/head.h"

namespace sealway {

inline constexpr std::size_t kSlotClearBytes = 1280;  // before the secret's nonce
inline constexpr std::size_t kSlotSecretNonce = 1280;
inline constexpr std::size_t kSlotSecret = 1292;
inline constexpr std::size_t kSlotSecretBytes = 64;
inline constexpr std::size_t kSlotSecretTag = 1356;
inline constexpr std::size_t kSlotTail = 1372;  // reserved and checksum
inline constexpr std::size_t kSlotChecksum = 1528;

using SlotView = std::span<const std::uint8_t, kSlotBytes>;
using SlotSpan = std::span<std::uint8_t, kSlotBytes>;

// Magic and checksum are right: the slot was written to its end.
[[nodiscard]] bool IsComplete(SlotView slot) noexcept;

// The generation as it stands; meaningful for a complete slot only.
[[nodiscard]] std::uint64_t GenerationOf(SlotView slot) noexcept;

// Section 7, step 3. kContainerVersion, kContainerSuite, kContainerHeader.
[[nodiscard]] Result<SlotFields> DecodeSlot(SlotView slot);

// Writes bytes 0 to 1279 and zeroes the rest. kInvalid: a field out of range; kContainerSuite.
[[nodiscard]] Status EncodeSlot(const SlotFields& fields, SlotSpan slot);

// Over bytes 0 to 1527; the last thing to be written.
void SetChecksum(SlotSpan slot) noexcept;

}  // namespace sealway

#endif  // SEALWAY_CONTAINER_SLOT_CODEC_H_
