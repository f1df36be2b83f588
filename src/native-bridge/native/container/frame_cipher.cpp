// Seals and opens single frames. Layer: native container. See frame_cipher.h.
#include "container/frame_cipher.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "common/bytes.h"
#include "container/crypto.h"
#include "container/geometry.h"
#include "container/nonce_pool.h"
#include "container/sha256.h"

namespace sealway {
namespace {

using FrameAad = std::array<std::uint8_t, sizeof(FileId) + 8>;

FrameAad AadOf(const FileId& file_id, std::uint64_t index) noexcept {
  FrameAad aad;
  std::copy(file_id.begin(), file_id.end(), aad.begin());
  StoreLe(aad.data() + sizeof(FileId), index);
  return aad;
}

// One direction's context of one thread, and the serial of the cipher whose key it has loaded.
struct Loaded {
  CipherContext context;
  std::uint64_t serial = 0;  // 0: none
};

struct ThreadContexts {
  Loaded seal, open;
  ThreadContexts() = default;
  ThreadContexts(const ThreadContexts&) = delete;
  ThreadContexts& operator=(const ThreadContexts&) = delete;
  ~ThreadContexts();
};

// Trivial, so that it may still be read by a FrameCipher that dies after the thread's contexts.
thread_local bool contexts_gone = false;
thread_local ThreadContexts contexts;

ThreadContexts::~ThreadContexts() { contexts_gone = true; }

// A context ready for (key, nonce); the key schedule is made only when the thread comes from
// another file. Null when the crypto library fails.
EVP_CIPHER_CTX* Prepare(Loaded& loaded, std::uint64_t serial, const Key32& key,
                        const std::uint8_t* nonce, int encrypt) noexcept {
  if (loaded.context == nullptr) loaded.context.reset(EVP_CIPHER_CTX_new());
  if (loaded.context == nullptr) return nullptr;
  EVP_CIPHER_CTX* context = loaded.context.get();
  const bool same = loaded.serial == serial;
  loaded.serial = 0;  // until it has worked
  const int ok =
      same ? EVP_CipherInit_ex2(context, nullptr, nullptr, nonce, encrypt, nullptr)
           : EVP_CipherInit_ex2(context, Aes256Gcm(), key.Data(), nonce, encrypt, nullptr);
  if (ok != 1) return nullptr;
  loaded.serial = serial;
  return context;
}

void Forget(Loaded& loaded, std::uint64_t serial) noexcept {
  if (loaded.serial != serial) return;
  EVP_CIPHER_CTX_reset(loaded.context.get());  // wipes the key schedule
  loaded.serial = 0;
}

bool Update(EVP_CIPHER_CTX* context, std::uint8_t* out, Bytes in) noexcept {
  int length = 0;
  return EVP_CipherUpdate(context, out, &length, in.data(), static_cast<int>(in.size())) == 1;
}

bool Finish(EVP_CIPHER_CTX* context) noexcept {
  std::uint8_t none[16];
  int length = 0;
  return EVP_CipherFinal_ex(context, none, &length) == 1;
}

Key32 MustDerive(const Key32& file_key, const FileId& file_id, std::string_view info) {
  auto key = DeriveKey(file_key, file_id, info);
  if (!key) std::abort();
  return *std::move(key);
}

std::uint64_t NextSerial() noexcept {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

bool IsHole(std::span<const std::uint8_t> frame) noexcept {
  // The nonce decides for every frame but one in 2^96, so a real frame costs 12 bytes' look.
  if (frame.size() >= kNonceBytes && !IsZero(frame.first(kNonceBytes))) return false;
  return IsZero(frame);
}

void XorInto(Digest32& accumulator, const Digest32& digest) noexcept {
  for (std::size_t i = 0; i < accumulator.size(); ++i) {
    accumulator[i] = static_cast<std::uint8_t>(accumulator[i] ^ digest[i]);
  }
}

FrameCipher::FrameCipher(const Key32& file_key, const FileId& file_id)
    : serial_(NextSerial()),
      file_id_(file_id),
      chunk_key_(MustDerive(file_key, file_id, "sealway/1 chunk")) {
  const Key32 seal_key = MustDerive(file_key, file_id, "sealway/1 seal");
  inner_ = HmacPadState(seal_key, kHmacInnerPad);
  outer_ = HmacPadState(seal_key, kHmacOuterPad);
}

FrameCipher::~FrameCipher() {
  OPENSSL_cleanse(inner_.data(), sizeof inner_);
  OPENSSL_cleanse(outer_.data(), sizeof outer_);
  if (contexts_gone) return;
  Forget(contexts.seal, serial_);
  Forget(contexts.open, serial_);
}

bool FrameCipher::Seal(std::uint64_t index, std::span<const std::uint8_t> plain,
                       std::uint8_t* frame_out) const {
  std::uint8_t* cipher_out = frame_out + kNonceBytes;
  const FrameAad aad = AadOf(file_id_, index);
  EVP_CIPHER_CTX* context = nullptr;
  const bool sealed =
      !plain.empty() && plain.size() <= (std::size_t{1} << kMaxChunkLog2) && DrawNonce(frame_out) &&
      (context = Prepare(contexts.seal, serial_, chunk_key_, frame_out, 1)) != nullptr &&
      Update(context, nullptr, aad) && Update(context, cipher_out, plain) && Finish(context) &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagBytes, cipher_out + plain.size()) ==
          1;
  if (!sealed) std::memset(frame_out, 0, plain.size() + kFrameOverhead);
  return sealed;
}

bool FrameCipher::Open(std::uint64_t index, std::span<const std::uint8_t> frame,
                       std::uint8_t* plain_out, bool* was_hole) const {
  if (was_hole != nullptr) *was_hole = false;
  if (frame.size() <= kFrameOverhead) return false;
  const std::size_t plain_bytes = frame.size() - kFrameOverhead;
  if (IsHole(frame)) {
    std::memset(plain_out, 0, plain_bytes);
    if (was_hole != nullptr) *was_hole = true;
    return true;
  }
  const FrameAad aad = AadOf(file_id_, index);
  std::array<std::uint8_t, kTagBytes> tag;
  std::copy(frame.end() - kTagBytes, frame.end(), tag.begin());
  EVP_CIPHER_CTX* context = Prepare(contexts.open, serial_, chunk_key_, frame.data(), 0);
  const bool authentic =
      context != nullptr && Update(context, nullptr, aad) &&
      Update(context, plain_out, frame.subspan(kNonceBytes, plain_bytes)) &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1 &&
      Finish(context);
  if (!authentic) OPENSSL_cleanse(plain_out, plain_bytes);
  return authentic;
}

Digest32 FrameCipher::TagDigest(std::uint64_t index, const std::uint8_t* tag) const noexcept {
  std::array<std::uint8_t, 24> message;
  StoreLe(message.data(), index);
  std::copy_n(tag, kTagBytes, message.begin() + 8);
  return HmacOf24(inner_, outer_, message);
}

}  // namespace sealway
