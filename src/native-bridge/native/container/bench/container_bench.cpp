// container_bench: frames and tag digests beside the same work done on raw EVP, in one run.
//
// Layer: native tools. Prints GB/s (10^9 bytes of document a second of processor time) and
// nanoseconds a digest.
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "container/crypto.h"
#include "container/frame_cipher.h"
#include "container/geometry.h"

namespace sealway {
namespace {

constexpr double kSeconds = 0.05;  // of each round
constexpr int kRounds = 6;

// Processor time of this thread, so that a busy machine does not spoil the comparison.
double CpuSeconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Calls a second: the best of several short rounds.
double Rate(const std::function<void()>& call) {
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::uint64_t calls = 0;
    const double start = CpuSeconds();
    double spent = 0;
    do {
      for (int i = 0; i < 16; ++i) call();
      calls += 16;
      spent = CpuSeconds() - start;
    } while (spent < kSeconds);
    best = std::max(best, static_cast<double>(calls) / spent);
  }
  return best;
}

void Need(bool ok) {
  if (!ok) std::abort();
}

// The least that AES-256-GCM over one chunk can cost with EVP: key kept, nonce set, tag taken.
double RawEvpRate(const std::vector<std::uint8_t>& plain, std::vector<std::uint8_t>& out) {
  const Key32 key;
  const CipherContext context(EVP_CIPHER_CTX_new());
  std::uint8_t nonce[12] = {}, tag[16], aad[24] = {};
  Need(EVP_EncryptInit_ex2(context.get(), Aes256Gcm(), key.Data(), nonce, nullptr) == 1);
  return Rate([&] {
    int length = 0;
    ++nonce[0];
    Need(EVP_EncryptInit_ex2(context.get(), nullptr, nullptr, nonce, nullptr) == 1 &&
         EVP_EncryptUpdate(context.get(), nullptr, &length, aad, sizeof aad) == 1 &&
         EVP_EncryptUpdate(context.get(), out.data(), &length, plain.data(),
                           static_cast<int>(plain.size())) == 1 &&
         EVP_EncryptFinal_ex(context.get(), tag, &length) == 1 &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1);
  });
}

void BenchFrames(std::uint8_t log2) {
  const std::size_t chunk = std::size_t{1} << log2;
  const FrameCipher cipher(Key32(), FileId{}), other(Key32(), FileId{});
  std::vector<std::uint8_t> plain(chunk, 7), frame(chunk + kFrameOverhead), out(chunk);
  const double raw = RawEvpRate(plain, out);
  std::uint64_t index = 0;
  const double seal = Rate([&] { Need(cipher.Seal(index++, plain, frame.data())); });
  Need(cipher.Seal(5, plain, frame.data()));
  const double open = Rate([&] { Need(cipher.Open(5, frame, out.data())); });
  const double turns = Rate([&] {  // two files in turns: a key schedule for every frame
    ++index;
    Need((index % 2 == 0 ? cipher : other).Seal(index, plain, frame.data()));
  });
  const double scale = static_cast<double>(chunk) / 1e9;
  std::printf(
      "chunk %7zu  raw EVP %.2f  seal %.2f (%.0f %%)  open %.2f (%.0f %%)  two files in turns %.2f "
      "GB/s\n",
      chunk, raw * scale, seal * scale, 100 * seal / raw, open * scale, 100 * open / raw,
      turns * scale);
}

void BenchDigest() {
  const FrameCipher cipher(Key32(), FileId{});
  std::uint8_t tag[16] = {};
  Digest32 accumulator{};
  std::uint64_t index = 0;
  const double mine = Rate([&] { XorInto(accumulator, cipher.TagDigest(index++, tag)); });

  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* keyed = EVP_MAC_CTX_new(mac);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  const Key32 key;
  std::uint8_t message[24] = {};
  Need(EVP_MAC_init(keyed, key.Data(), Key32::kBytes, params) == 1);
  const double evp = Rate([&] {
    EVP_MAC_CTX* copy = EVP_MAC_CTX_dup(keyed);
    std::size_t length = 0;
    Need(EVP_MAC_update(copy, message, sizeof message) == 1 &&
         EVP_MAC_final(copy, accumulator.data(), &length, accumulator.size()) == 1);
    EVP_MAC_CTX_free(copy);
  });
  EVP_MAC_CTX_free(keyed);
  EVP_MAC_free(mac);
  std::printf("tag digest     %.0f ns, by a keyed EVP_MAC duplicated %.0f ns\n", 1e9 / mine,
              1e9 / evp);
}

}  // namespace
}  // namespace sealway

int main() {
  for (const std::uint8_t log2 :
       {std::uint8_t{12}, std::uint8_t{14}, std::uint8_t{16}, std::uint8_t{20}}) {
    sealway::BenchFrames(log2);
  }
  sealway::BenchDigest();
  return 0;
}
