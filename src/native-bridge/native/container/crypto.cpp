// HKDF and one-shot AES-256-GCM. Layer: native container. See crypto.h.
#include "container/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <string>

namespace sealway {
namespace {

struct KdfContextDeleter {
  void operator()(EVP_KDF_CTX* context) const noexcept { EVP_KDF_CTX_free(context); }
};

EVP_KDF* Hkdf() noexcept {
  static EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  return kdf;
}

// OSSL_PARAM takes non-const pointers for what it only reads.
template <class T>
void* Unconst(const T* bytes) noexcept {
  return const_cast<void*>(static_cast<const void*>(bytes));
}

bool AddAad(EVP_CIPHER_CTX* context, std::initializer_list<Bytes> aad) noexcept {
  for (const Bytes piece : aad) {
    int length = 0;
    if (EVP_CipherUpdate(context, nullptr, &length, piece.data(), static_cast<int>(piece.size())) !=
        1) {
      return false;
    }
  }
  return true;
}

}  // namespace

const EVP_CIPHER* Aes256Gcm() noexcept {
  static const EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return cipher;
}

std::optional<Key32> DeriveKey(const Key32& ikm, const FileId& salt, std::string_view info) {
  const std::unique_ptr<EVP_KDF_CTX, KdfContextDeleter> context(EVP_KDF_CTX_new(Hkdf()));
  if (context == nullptr) return std::nullopt;
  std::string digest = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), digest.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, Unconst(ikm.Data()), Key32::kBytes),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, Unconst(salt.data()), salt.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, Unconst(info.data()), info.size()),
      OSSL_PARAM_construct_end(),
  };
  Key32 key;
  if (EVP_KDF_derive(context.get(), key.Mutable().data(), Key32::kBytes, params) != 1) {
    return std::nullopt;
  }
  return key;
}

bool GcmSeal(const Key32& key, const std::uint8_t* nonce, std::initializer_list<Bytes> aad,
             Bytes in, std::uint8_t* out, std::uint8_t* tag) noexcept {
  const CipherContext context(EVP_CIPHER_CTX_new());
  int length = 0;
  return context != nullptr &&
         EVP_EncryptInit_ex2(context.get(), Aes256Gcm(), key.Data(), nonce, nullptr) == 1 &&
         AddAad(context.get(), aad) &&
         EVP_EncryptUpdate(context.get(), out, &length, in.data(), static_cast<int>(in.size())) ==
             1 &&
         EVP_EncryptFinal_ex(context.get(), out + length, &length) == 1 &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag) == 1;
}

bool GcmOpen(const Key32& key, const std::uint8_t* nonce, std::initializer_list<Bytes> aad,
             Bytes in, std::uint8_t* out, const std::uint8_t* tag) noexcept {
  const CipherContext context(EVP_CIPHER_CTX_new());
  int length = 0;
  const bool authentic =
      context != nullptr &&
      EVP_DecryptInit_ex2(context.get(), Aes256Gcm(), key.Data(), nonce, nullptr) == 1 &&
      AddAad(context.get(), aad) &&
      EVP_DecryptUpdate(context.get(), out, &length, in.data(), static_cast<int>(in.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, Unconst(tag)) == 1 &&
      EVP_DecryptFinal_ex(context.get(), out + length, &length) == 1;
  if (!authentic) OPENSSL_cleanse(out, in.size());
  return authentic;
}

}  // namespace sealway
