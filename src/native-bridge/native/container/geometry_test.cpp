// Where frames lie: the specification's worked sizes, refusals, and that both directions agree.
#include "container/geometry.h"

#include <gtest/gtest.h>

namespace sealway {
namespace {

struct Size {
  std::uint64_t plain, disk;
};
class WorkedSize : public testing::TestWithParam<Size> {};

TEST_P(WorkedSize, GoesBothWays) {
  const Geometry geometry{14};
  EXPECT_EQ(geometry.DiskSize(GetParam().plain), GetParam().disk);
  const auto plain = geometry.PlainSize(GetParam().disk);
  ASSERT_TRUE(plain.Ok());
  EXPECT_EQ(*plain, GetParam().plain);
}
INSTANTIATE_TEST_SUITE_P(Specification, WorkedSize,
                         testing::Values(Size{0, 4096}, Size{1, 4125}, Size{16383, 20507},
                                         Size{16384, 20508}, Size{16385, 20537}, Size{32768, 36920},
                                         Size{1000000, 1005832}));

struct BadSize {
  std::uint64_t disk;
  ErrorCode code;
};
class ImpossibleSize : public testing::TestWithParam<BadSize> {};

TEST_P(ImpossibleSize, IsRefused) {
  const auto plain = Geometry{14}.PlainSize(GetParam().disk);
  ASSERT_FALSE(plain.Ok());
  EXPECT_EQ(plain.Code(), GetParam().code);
}
INSTANTIATE_TEST_SUITE_P(Sizes, ImpossibleSize,
                         testing::Values(BadSize{0, ErrorCode::kContainerShort},
                                         BadSize{4095, ErrorCode::kContainerShort},
                                         BadSize{4097, ErrorCode::kContainerTruncated},
                                         BadSize{4096 + 28, ErrorCode::kContainerTruncated},
                                         BadSize{20508 + 1, ErrorCode::kContainerTruncated},
                                         BadSize{20508 + 28, ErrorCode::kContainerTruncated}));

class EveryChunkSize : public testing::TestWithParam<int> {};

TEST_P(EveryChunkSize, InvertsAroundFrameBorders) {
  const Geometry geometry{static_cast<std::uint8_t>(GetParam())};
  const std::uint64_t chunk = geometry.ChunkSize();
  for (const std::uint64_t base : {std::uint64_t{0}, chunk, 7 * chunk, kMaxPlainSize - 3 * chunk}) {
    for (std::uint64_t plain = base; plain < base + 3 * chunk; plain += chunk / 64 - 1) {
      const auto back = geometry.PlainSize(geometry.DiskSize(plain));
      ASSERT_TRUE(back.Ok()) << plain;
      ASSERT_EQ(*back, plain);
    }
  }
}

TEST_P(EveryChunkSize, FramesCoverTheDocumentWithoutGaps) {
  const Geometry geometry{static_cast<std::uint8_t>(GetParam())};
  const std::uint64_t plain = 3 * geometry.ChunkSize() + 5;
  std::uint64_t disk = kHeadBytes, covered = 0;
  for (std::uint64_t i = 0; i < geometry.FrameCount(plain); ++i) {
    EXPECT_EQ(geometry.FrameOffset(i), disk);
    EXPECT_EQ(geometry.ChunkOf(covered), i);
    disk += geometry.PlainBytesIn(i, plain) + kFrameOverhead;
    covered += geometry.PlainBytesIn(i, plain);
  }
  EXPECT_EQ(covered, plain);
  EXPECT_EQ(disk, geometry.DiskSize(plain));
}
INSTANTIATE_TEST_SUITE_P(ChunkLog2, EveryChunkSize,
                         testing::Range<int>(kMinChunkLog2, kMaxChunkLog2 + 1));

TEST(Geometry, NoDiskSizeOverflows) {
  for (std::uint64_t disk = ~std::uint64_t{0}; disk > ~std::uint64_t{0} - 40; --disk) {
    const auto plain = Geometry{20}.PlainSize(disk);
    EXPECT_TRUE(!plain || *plain < disk);
  }
}

}  // namespace
}  // namespace sealway
