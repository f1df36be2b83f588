// Little-endian numbers and hexadecimal text.
#include "common/bytes.h"

#include <gtest/gtest.h>

namespace sealway {
namespace {

TEST(LittleEndian, StoresTheLowByteFirst) {
  std::array<std::uint8_t, 8> bytes{};
  StoreLe<std::uint64_t>(bytes.data(), 0x0102030405060708U);
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 8>{8, 7, 6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(LoadLe<std::uint64_t>(bytes.data()), 0x0102030405060708U);
  EXPECT_EQ(LoadLe<std::uint32_t>(bytes.data() + 1), 0x04050607U);
  EXPECT_EQ(LoadLe<std::uint16_t>(bytes.data()), 0x0708U);
}

TEST(Hex, GoesBothWays) {
  const std::array<std::uint8_t, 4> bytes = {0x00, 0x7F, 0x80, 0xFF};
  EXPECT_EQ(ToHex(bytes), "007f80ff");
  std::array<std::uint8_t, 4> back{};
  ASSERT_TRUE(FromHex("007F80fF", back));
  EXPECT_EQ(back, bytes);
}

class BadHex : public testing::TestWithParam<const char*> {};

TEST_P(BadHex, IsRefused) {
  std::array<std::uint8_t, 2> out{};
  EXPECT_FALSE(FromHex(GetParam(), out));
}
INSTANTIATE_TEST_SUITE_P(Texts, BadHex,
                         testing::Values("", "000", "00000", "00g0", "0x00", " 000"));

TEST(IsZero, LooksAtEveryByte) {
  std::array<std::uint8_t, 9> bytes{};
  EXPECT_TRUE(IsZero(bytes));
  for (auto& byte : bytes) {
    byte = 0x80;
    EXPECT_FALSE(IsZero(bytes));
    byte = 0;
  }
}

}  // namespace
}  // namespace sealway
