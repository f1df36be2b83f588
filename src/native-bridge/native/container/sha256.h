// SHA-256 for slot checksums, and HMAC-SHA-256 over the 24 bytes that make a tag digest.
//
// Layer: native container. Threads: pure functions. Spec: RFC 2104, FIPS 180-4.
// Made from the compression function so that a tag digest costs two compressions: EVP_MAC spends
// several times that on contexts (container_bench shows both).
#ifndef SEALWAY_CONTAINER_SHA256_H_
#define SEALWAY_CONTAINER_SHA256_H_

#include <array>
#include <cstdint>
#include <span>

#include "container/head.h"

namespace sealway {

using Sha256State = std::array<std::uint32_t, 8>;

[[nodiscard]] Digest32 Sha256(std::span<const std::uint8_t> bytes) noexcept;

inline constexpr std::uint8_t kHmacInnerPad = 0x36;
inline constexpr std::uint8_t kHmacOuterPad = 0x5C;

// The state after the block key ⊕ pad. As sensitive as the key.
[[nodiscard]] Sha256State HmacPadState(const Key32& key, std::uint8_t pad) noexcept;

// HMAC-SHA-256 of a message of exactly 24 bytes.
[[nodiscard]] Digest32 HmacOf24(const Sha256State& inner, const Sha256State& outer,
                                std::span<const std::uint8_t, 24> message) noexcept;

}  // namespace sealway

#endif  // SEALWAY_CONTAINER_SHA256_H_
