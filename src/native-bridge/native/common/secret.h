// A 256-bit key in memory: locked where the system allows it, out of core dumps, wiped on release.
//
// Layer: native common. Threads: an object belongs to one thread at a time; the arena below it is
//   guarded by a mutex. Reading one key from several threads is fine.
// Not here: where keys come from, and the schedules that a cipher context derives from them.
#ifndef SEALWAY_COMMON_SECRET_H_
#define SEALWAY_COMMON_SECRET_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace sealway {

class Key32 {
 public:
  static constexpr std::size_t kBytes = 32;

  // All zero. Ends the process when no memory is left: no key can be handled without.
  Key32();
  // Copies `bytes`; wiping the source is the caller's business.
  explicit Key32(std::span<const std::uint8_t, kBytes> bytes);
  Key32(const Key32&) = delete;
  Key32& operator=(const Key32&) = delete;
  // A moved-from key holds nothing: it may only be destroyed or assigned to.
  Key32(Key32&& other) noexcept;
  Key32& operator=(Key32&& other) noexcept;
  ~Key32();

  // A second copy, asked for by name so that no key is ever copied by accident.
  [[nodiscard]] Key32 Clone() const { return Key32(Bytes()); }

  [[nodiscard]] std::span<const std::uint8_t, kBytes> Bytes() const noexcept {
    return std::span<const std::uint8_t, kBytes>(slot_, kBytes);
  }
  [[nodiscard]] std::span<std::uint8_t, kBytes> Mutable() noexcept {
    return std::span<std::uint8_t, kBytes>(slot_, kBytes);
  }
  [[nodiscard]] const std::uint8_t* Data() const noexcept { return slot_; }

  // Constant time.
  [[nodiscard]] bool Equals(const Key32& other) const noexcept;

 private:
  void Free() noexcept;
  std::uint8_t* slot_;  // lent by the arena; given back wiped
};

}  // namespace sealway

#endif  // SEALWAY_COMMON_SECRET_H_
