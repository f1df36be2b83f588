// The production source: OpenSSL's generator, seeded and reseeded from the kernel, safe across
// fork. Layer: native container. Threads: any.
#include <openssl/rand.h>

#include "container/random.h"

namespace sealway {

bool FillRandom(std::span<std::uint8_t> out) noexcept {
  return RAND_priv_bytes(out.data(), static_cast<int>(out.size())) == 1;
}

}  // namespace sealway
