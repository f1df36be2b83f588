// SHA-256 and the short HMAC. Layer: native container. See sha256.h.
//
// OpenSSL 3 marks its compression function as deprecated but keeps it for as long as 3.x lives; it
// uses the CPU's SHA instructions. The one file that asks for it says so here.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "container/sha256.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>

namespace sealway {
namespace {

constexpr std::size_t kBlockBytes = 64;
using Block = std::array<std::uint8_t, kBlockBytes>;

SHA256_CTX FromState(const Sha256State& state) noexcept {
  SHA256_CTX context{};
  std::copy(state.begin(), state.end(), context.h);
  return context;
}

// Padding of a last block that follows one key block: 0x80, zeros, message length in bits, big
// endian. `bytes` is what the block holds already, at most 55.
void PadAfterKeyBlock(Block& block, std::size_t bytes) noexcept {
  block[bytes] = 0x80;
  const std::size_t bits = (kBlockBytes + bytes) * 8;
  block[62] = static_cast<std::uint8_t>(bits >> 8);
  block[63] = static_cast<std::uint8_t>(bits);
}

void StoreWords(const SHA256_CTX& context, std::uint8_t* out) noexcept {
  for (std::size_t i = 0; i < 8; ++i) {
    for (std::size_t j = 0; j < 4; ++j) {
      out[4 * i + j] = static_cast<std::uint8_t>(context.h[i] >> (24 - 8 * j));
    }
  }
}

}  // namespace

Digest32 Sha256(std::span<const std::uint8_t> bytes) noexcept {
  SHA256_CTX context;
  Digest32 digest;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  SHA256_Final(digest.data(), &context);
  return digest;
}

Sha256State HmacPadState(const Key32& key, std::uint8_t pad) noexcept {
  Block block;
  block.fill(pad);
  for (std::size_t i = 0; i < Key32::kBytes; ++i) {
    block[i] = static_cast<std::uint8_t>(block[i] ^ key.Data()[i]);
  }
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Transform(&context, block.data());
  Sha256State state;
  std::copy(std::begin(context.h), std::end(context.h), state.begin());
  OPENSSL_cleanse(block.data(), block.size());
  OPENSSL_cleanse(&context, sizeof context);
  return state;
}

Digest32 HmacOf24(const Sha256State& inner, const Sha256State& outer,
                  std::span<const std::uint8_t, 24> message) noexcept {
  Block block{};
  std::copy(message.begin(), message.end(), block.begin());
  PadAfterKeyBlock(block, message.size());
  SHA256_CTX context = FromState(inner);
  SHA256_Transform(&context, block.data());

  block.fill(0);
  StoreWords(context, block.data());
  PadAfterKeyBlock(block, sizeof(Digest32));
  context = FromState(outer);
  SHA256_Transform(&context, block.data());
  Digest32 digest;
  StoreWords(context, digest.data());
  return digest;
}

}  // namespace sealway
