// Whole reads and writes.
#include "common/io.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>
#include <vector>

#include "common/unique_fd.h"

namespace sealway {
namespace {

TEST(Io, ReadsUpToTheEndOfTheFile) {
  const UniqueFd fd(::memfd_create("io", MFD_CLOEXEC));
  const std::array<std::uint8_t, 3> bytes = {1, 2, 3};
  ASSERT_TRUE(PwriteAll(fd.Get(), bytes, 10).Ok());
  std::array<std::uint8_t, 8> out{};
  const auto got = PreadUpTo(fd.Get(), out, 9);
  ASSERT_TRUE(got.Ok());
  EXPECT_EQ(*got, 4U);
  EXPECT_EQ(out, (std::array<std::uint8_t, 8>{0, 1, 2, 3, 0, 0, 0, 0}));
}

TEST(Io, CarriesPartialTransfersOn) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  const std::vector<std::uint8_t> bytes(1 << 20, 7);  // far more than a pipe holds
  std::thread writer([&] {
    EXPECT_TRUE(WriteAll(to.Get(), bytes).Ok());
    to.Reset();
  });
  std::vector<std::uint8_t> out(2 << 20);
  const auto got = ReadUpTo(from.Get(), out);
  writer.join();
  ASSERT_TRUE(got.Ok());
  EXPECT_EQ(*got, bytes.size());
}

TEST(Io, KeepsTheErrno) {
  std::array<std::uint8_t, 1> byte{};
  const auto read = PreadUpTo(-1, byte, 0);
  ASSERT_FALSE(read.Ok());
  EXPECT_EQ(read.Code(), ErrorCode::kIo);
  EXPECT_EQ(read.GetError().ToErrno(), EBADF);
  const auto write = WriteAll(-1, byte);
  ASSERT_FALSE(write.Ok());
  EXPECT_EQ(write.GetError().ToErrno(), EBADF);
}

}  // namespace
}  // namespace sealway
