// Fresh 96-bit nonces, drawn from the random source a few hundred at a time.
//
// Layer: native container. Threads: any; the pool is thread_local.
// Attack: a nonce used twice under one key gives away GCM's authentication key. So a nonce is taken
//   from the pool before it is used and never put back, and a forked child drops what it inherited.
#ifndef SEALWAY_CONTAINER_NONCE_POOL_H_
#define SEALWAY_CONTAINER_NONCE_POOL_H_

#include <cstdint>

namespace sealway {

// Writes 12 bytes to `nonce_out`. False: the random source failed.
[[nodiscard]] bool DrawNonce(std::uint8_t* nonce_out) noexcept;

}  // namespace sealway

#endif  // SEALWAY_CONTAINER_NONCE_POOL_H_
