// Frames: round trip, everything that must not authenticate, holes, threads, forks.
#include "container/frame_cipher.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/bytes.h"
#include "container/geometry.h"
#include "container/test_file.h"

namespace sealway {
namespace {

using ByteString = std::vector<std::uint8_t>;

FileId Id(std::uint8_t value) {
  FileId id;
  id.fill(value);
  return id;
}

ByteString SealOne(const FrameCipher& cipher, std::uint64_t index, const ByteString& plain) {
  ByteString frame(plain.size() + kFrameOverhead);
  EXPECT_TRUE(cipher.Seal(index, plain, frame.data()));
  return frame;
}

bool OpensTo(const FrameCipher& cipher, std::uint64_t index, const ByteString& frame,
             const ByteString& plain) {
  ByteString out(frame.size() - kFrameOverhead, 0xFF);
  const bool opened = cipher.Open(index, frame, out.data());
  EXPECT_TRUE(opened || IsZero(out)) << "a refused frame left plaintext";
  return opened && out == plain;
}

class FrameSizes : public testing::TestWithParam<std::size_t> {};
TEST_P(FrameSizes, RoundTrip) {
  const FrameCipher cipher(TestKey(1), Id(1));
  const ByteString plain(GetParam(), 0x42);
  EXPECT_TRUE(OpensTo(cipher, 3, SealOne(cipher, 3, plain), plain));
}
INSTANTIATE_TEST_SUITE_P(Bytes, FrameSizes,
                         testing::Values(1, 15, 16, 17, 4095, 4096, 16384, 1U << 20));

TEST(FrameCipher, SealsNothingButChunks) {
  const FrameCipher cipher(TestKey(1), Id(1));
  ByteString frame((1U << 20) + 64, 0xFF);
  EXPECT_FALSE(cipher.Seal(0, {}, frame.data()));
  EXPECT_FALSE(cipher.Seal(0, ByteString((1U << 20) + 1), frame.data()));
  EXPECT_TRUE(IsZero(std::span(frame).first(kFrameOverhead)));
}

TEST(FrameCipher, AnyChangedBitIsRefused) {
  const FrameCipher cipher(TestKey(1), Id(1));
  const ByteString plain(40, 0x42);
  const ByteString frame = SealOne(cipher, 0, plain);
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    ByteString changed = frame;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(OpensTo(cipher, 0, changed, plain)) << bit;
  }
}

TEST(FrameCipher, BindsIndexFileAndKey) {
  const FrameCipher cipher(TestKey(1), Id(1));
  const ByteString plain(100, 0x42);
  const ByteString frame = SealOne(cipher, 5, plain);
  EXPECT_FALSE(OpensTo(cipher, 6, frame, plain));
  EXPECT_FALSE(OpensTo(cipher, 5 + (std::uint64_t{1} << 32), frame, plain));
  EXPECT_FALSE(OpensTo(FrameCipher(TestKey(1), Id(2)), 5, frame, plain));
  EXPECT_FALSE(OpensTo(FrameCipher(TestKey(2), Id(1)), 5, frame, plain));
  EXPECT_TRUE(OpensTo(cipher, 5, frame, plain));
}

TEST(FrameCipher, ShortAndCutFramesAreRefused) {
  const FrameCipher cipher(TestKey(1), Id(1));
  const ByteString frame = SealOne(cipher, 0, ByteString(100, 0x42));
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{27}, std::size_t{28}}) {
    std::uint8_t out = 0xFF;
    EXPECT_FALSE(cipher.Open(0, std::span(frame).first(bytes), &out)) << bytes;
  }
  EXPECT_FALSE(OpensTo(cipher, 0, ByteString(frame.begin(), frame.end() - 1), {}));
}

TEST(FrameCipher, DrawsEachNonceOnce) {
  const FrameCipher cipher(TestKey(1), Id(1));
  std::set<std::string> nonces;
  for (int i = 0; i < 2000; ++i) {  // several batches
    const ByteString frame = SealOne(cipher, 0, ByteString(1));
    nonces.insert(ToHex(std::span(frame).first(kNonceBytes)));
  }
  EXPECT_EQ(nonces.size(), 2000U);
}

TEST(FrameCipher, AForkedChildDrawsItsOwnNonces) {
  const FrameCipher cipher(TestKey(1), Id(1));
  static_cast<void>(SealOne(cipher, 0, ByteString(1)));  // fill the batch
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ByteString frame(1 + kFrameOverhead);
    const bool sealed = cipher.Seal(0, ByteString(1), frame.data());
    const bool written = ::write(ends[1], frame.data(), kNonceBytes) == ssize_t{kNonceBytes};
    ::_exit(sealed && written ? 0 : 1);
  }
  ByteString theirs(kNonceBytes);
  ASSERT_EQ(::read(ends[0], theirs.data(), theirs.size()), ssize_t{kNonceBytes});
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  const ByteString ours = SealOne(cipher, 0, ByteString(1));
  EXPECT_NE(theirs, ByteString(ours.begin(), ours.begin() + kNonceBytes));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(FrameCipher, AHoleReadsAsZeros) {
  const FrameCipher cipher(TestKey(1), Id(1));
  const ByteString hole(100 + kFrameOverhead);
  ByteString out(100, 0xFF);
  bool was_hole = false;
  EXPECT_TRUE(IsHole(hole));
  EXPECT_TRUE(cipher.Open(9, hole, out.data(), &was_hole));
  EXPECT_TRUE(was_hole);
  EXPECT_TRUE(IsZero(out));
  const ByteString frame = SealOne(cipher, 9, ByteString(100));
  EXPECT_FALSE(IsHole(frame));
  EXPECT_TRUE(cipher.Open(9, frame, out.data(), &was_hole));
  EXPECT_FALSE(was_hole);
}

TEST(FrameCipher, ZeroNonceAndTagWithBytesIsNoHole) {
  const FrameCipher cipher(TestKey(1), Id(1));
  for (std::size_t at = 0; at < 100 + kFrameOverhead; ++at) {
    ByteString frame(100 + kFrameOverhead);
    frame[at] = 1;
    EXPECT_FALSE(IsHole(frame));
    EXPECT_FALSE(OpensTo(cipher, 0, frame, ByteString(100))) << at;
  }
}

// Contexts are the thread's and keep a key: going between files, and a new file at an old one's
// address, must not use the wrong one.
TEST(FrameCipher, FilesTakeTurnsOnOneThread) {
  const ByteString plain(50, 0x42);
  for (int round = 0; round < 20; ++round) {
    const FrameCipher a(TestKey(static_cast<std::uint8_t>(round)), Id(1)), b(TestKey(99), Id(2));
    const ByteString frame_a = SealOne(a, 0, plain), frame_b = SealOne(b, 0, plain);
    EXPECT_TRUE(OpensTo(a, 0, frame_a, plain));
    EXPECT_TRUE(OpensTo(b, 0, frame_b, plain));
    EXPECT_FALSE(OpensTo(a, 0, frame_b, plain));
    EXPECT_TRUE(OpensTo(a, 0, frame_a, plain));
  }
}

TEST(FrameCipher, ServesManyThreads) {
  const FrameCipher cipher(TestKey(1), Id(1));
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&cipher, t] {
      for (std::uint64_t i = 0; i < 200; ++i) {
        const ByteString plain(300, static_cast<std::uint8_t>(t));
        EXPECT_TRUE(OpensTo(cipher, i, SealOne(cipher, i, plain), plain));
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(Accumulator, DependsOnIndexAndTag) {
  const FrameCipher cipher(TestKey(1), Id(1));
  std::uint8_t tag[16] = {1, 2, 3};
  const Digest32 digest = cipher.TagDigest(1, tag);
  EXPECT_NE(digest, cipher.TagDigest(2, tag));
  EXPECT_NE(digest, FrameCipher(TestKey(2), Id(1)).TagDigest(1, tag));
  tag[15] = 1;
  EXPECT_NE(digest, cipher.TagDigest(1, tag));
}

TEST(Accumulator, TakesADigestOutAgain) {
  const FrameCipher cipher(TestKey(1), Id(1));
  const std::uint8_t tag[16] = {1, 2, 3};
  Digest32 accumulator{};
  XorInto(accumulator, cipher.TagDigest(1, tag));
  EXPECT_FALSE(IsZero(accumulator));
  XorInto(accumulator, cipher.TagDigest(1, tag));
  EXPECT_TRUE(IsZero(accumulator));
}

}  // namespace
}  // namespace sealway
