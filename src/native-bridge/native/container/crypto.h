// HKDF-SHA-256 and AES-256-GCM as the container uses them, on OpenSSL 3.
//
// Layer: native container. Threads: any. Spec: docs/spec/container-v1.md, section 4.
// Algorithms are fetched once: OpenSSL 3.0 looks names up under a lock on every implicit fetch.
#ifndef SEALWAY_CONTAINER_CRYPTO_H_
#define SEALWAY_CONTAINER_CRYPTO_H_

#include <openssl/evp.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "common/secret.h"
#include "container/head.h"

namespace sealway {

struct CipherContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, CipherContextDeleter>;

// The fetched cipher; null when the crypto library has none. Lives as long as the process.
[[nodiscard]] const EVP_CIPHER* Aes256Gcm() noexcept;

// 32 bytes for (ikm, salt, info), RFC 5869. Empty when the crypto library fails.
[[nodiscard]] std::optional<Key32> DeriveKey(const Key32& ikm, const FileId& salt,
                                             std::string_view info);

using Bytes = std::span<const std::uint8_t>;

// One-shot AES-256-GCM with the associated data in pieces. `out` is as long as `in`; `tag` 16
// bytes.
[[nodiscard]] bool GcmSeal(const Key32& key, const std::uint8_t* nonce,
                           std::initializer_list<Bytes> aad, Bytes in, std::uint8_t* out,
                           std::uint8_t* tag) noexcept;
// False: not authentic, or the crypto library failed; `out` is then zero.
[[nodiscard]] bool GcmOpen(const Key32& key, const std::uint8_t* nonce,
                           std::initializer_list<Bytes> aad, Bytes in, std::uint8_t* out,
                           const std::uint8_t* tag) noexcept;

}  // namespace sealway

#endif  // SEALWAY_CONTAINER_CRYPTO_H_
