// The primitives against published vectors and against OpenSSL's own HMAC.
#include "container/crypto.h"

#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include <vector>

#include "common/bytes.h"
#include "container/sha256.h"

namespace sealway {
namespace {

Key32 KeyFromHex(std::string_view hex) {
  Key32 key;
  EXPECT_TRUE(FromHex(hex, key.Mutable()));
  return key;
}

TEST(Sha256, Fips180Example) {
  const std::array<std::uint8_t, 3> abc = {'a', 'b', 'c'};
  EXPECT_EQ(ToHex(Sha256(abc)), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// HKDF written out with HMAC (RFC 5869): extract, then one block of expand.
TEST(DeriveKey, IsExtractThenExpand) {
  const Key32 ikm = KeyFromHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  FileId salt;
  salt.fill(0x5C);
  Digest32 extracted, expanded;
  unsigned length = 0;
  HMAC(EVP_sha256(), salt.data(), sizeof salt, ikm.Data(), Key32::kBytes, extracted.data(),
       &length);
  const std::string info = "sealway/1 chunk\x01";
  HMAC(EVP_sha256(), extracted.data(), sizeof extracted,
       reinterpret_cast<const unsigned char*>(info.data()), info.size(), expanded.data(), &length);
  const auto derived = DeriveKey(ikm, salt, "sealway/1 chunk");
  ASSERT_TRUE(derived.has_value());
  EXPECT_EQ(ToHex(derived->Bytes()), ToHex(expanded));
}

// Test case 16 of the GCM specification (McGrew and Viega).
TEST(Gcm, KnownAnswer) {
  const Key32 key = KeyFromHex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  std::array<std::uint8_t, 12> nonce;
  std::array<std::uint8_t, 20> aad;
  std::array<std::uint8_t, 60> plain, cipher, back;
  std::array<std::uint8_t, 16> tag;
  ASSERT_TRUE(FromHex("cafebabefacedbaddecaf888", nonce));
  ASSERT_TRUE(FromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2", aad));
  ASSERT_TRUE(
      FromHex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
              "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
              plain));
  const Bytes all(aad);
  ASSERT_TRUE(
      GcmSeal(key, nonce.data(), {all.first(7), all.subspan(7)}, plain, cipher.data(), tag.data()));
  EXPECT_EQ(ToHex(tag), "76fc6ece0f4e1768cddf8853bb2d551b");
  EXPECT_EQ(ToHex(Bytes(cipher).first(4)), "522dc1f0");
  ASSERT_TRUE(GcmOpen(key, nonce.data(), {all}, cipher, back.data(), tag.data()));
  EXPECT_EQ(back, plain);
  tag[15] ^= 1;
  EXPECT_FALSE(GcmOpen(key, nonce.data(), {all}, cipher, back.data(), tag.data()));
  EXPECT_TRUE(IsZero(back));
}

TEST(HmacOf24, AgreesWithOpenssl) {
  for (int round = 0; round < 50; ++round) {
    Key32 key;
    std::array<std::uint8_t, 24> message;
    for (auto& byte : key.Mutable()) byte = static_cast<std::uint8_t>(round * 31);
    for (std::size_t i = 0; i < message.size(); ++i) {
      message[i] = static_cast<std::uint8_t>(i * 7 + static_cast<std::size_t>(round));
    }
    Digest32 want;
    unsigned length = 0;
    HMAC(EVP_sha256(), key.Data(), Key32::kBytes, message.data(), message.size(), want.data(),
         &length);
    EXPECT_EQ(HmacOf24(HmacPadState(key, kHmacInnerPad), HmacPadState(key, kHmacOuterPad), message),
              want);
  }
}

}  // namespace
}  // namespace sealway
