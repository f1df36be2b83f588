// Little-endian numbers and hexadecimal text.
//
// Layer: native common. Threads: pure functions.
// Spec: docs/spec/container-v1.md, "All integers are unsigned and little-endian".
#ifndef SEALWAY_COMMON_BYTES_H_
#define SEALWAY_COMMON_BYTES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace sealway {

// Reads sizeof(T) bytes at `from`, which need not be aligned.
template <class T>
[[nodiscard]] constexpr T LoadLe(const std::uint8_t* from) noexcept {
  static_assert(std::is_unsigned_v<T>);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value |= std::uint64_t{from[i]} << (8 * i);
  return static_cast<T>(value);
}

template <class T>
constexpr void StoreLe(std::uint8_t* to, T value) noexcept {
  static_assert(std::is_unsigned_v<T>);
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    to[i] = static_cast<std::uint8_t>(std::uint64_t{value} >> (8 * i));
  }
}

[[nodiscard]] inline bool IsZero(std::span<const std::uint8_t> bytes) noexcept {
  std::uint8_t seen = 0;
  for (const std::uint8_t byte : bytes) seen = static_cast<std::uint8_t>(seen | byte);
  return seen == 0;
}

// Lower case, two digits a byte.
[[nodiscard]] std::string ToHex(std::span<const std::uint8_t> bytes);

// Decodes exactly out.size() bytes, either case. False for any other length or character; `out`
// then holds nothing of use. Writes straight into `out`, so a key leaves no copy on the heap.
[[nodiscard]] bool FromHex(std::string_view hex, std::span<std::uint8_t> out) noexcept;

}  // namespace sealway

#endif  // SEALWAY_COMMON_BYTES_H_
