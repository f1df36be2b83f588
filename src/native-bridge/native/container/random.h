// Where nonces, file ids and file keys come from.
//
// Layer: native container. Threads: any.
// Production links random_os.cpp. The vector generator links a fixed source in its place, which is
// the only way to have one: no function, flag or variable in a shipped binary changes the source.
#ifndef SEALWAY_CONTAINER_RANDOM_H_
#define SEALWAY_CONTAINER_RANDOM_H_

#include <cstdint>
#include <span>

namespace sealway {

// Fills `out`. False: no randomness to be had; `out` must not be used.
[[nodiscard]] bool FillRandom(std::span<std::uint8_t> out) noexcept;

}  // namespace sealway

#endif  // SEALWAY_CONTAINER_RANDOM_H_
