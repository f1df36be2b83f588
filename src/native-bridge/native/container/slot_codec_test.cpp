// One slot: every refusal of section 7, step 3, and the order in which they come.
#include "container/slot_codec.h"

#include <gtest/gtest.h>

#include <functional>

#include "common/bytes.h"
#include "container/test_file.h"

namespace sealway {
namespace {

using SlotBytes = std::array<std::uint8_t, kSlotBytes>;

SlotBytes GoodSlot() {
  SlotBytes slot;
  EXPECT_TRUE(EncodeSlot(TestFields(), slot).Ok());
  SetChecksum(slot);
  return slot;
}

TEST(SlotCodec, GoesBothWays) {
  const SlotBytes slot = GoodSlot();
  EXPECT_TRUE(IsComplete(slot));
  EXPECT_EQ(Need(DecodeSlot(slot)), TestFields());
  EXPECT_EQ(GenerationOf(slot), TestFields().generation);
}

TEST(SlotCodec, AChangeOfAnyByteMakesItIncomplete) {
  for (std::size_t at = 0; at < kSlotBytes; ++at) {
    SlotBytes slot = GoodSlot();
    slot[at] ^= 0x01;
    EXPECT_FALSE(IsComplete(slot)) << at;
  }
}

struct Row {
  const char* id;
  ErrorCode code;
  std::function<void(SlotBytes&)> change;
};
class BadSlot : public testing::TestWithParam<Row> {};
TEST_P(BadSlot, IsRefused) {
  SlotBytes slot = GoodSlot();
  GetParam().change(slot);
  const auto fields = DecodeSlot(slot);
  ASSERT_FALSE(fields.Ok());
  EXPECT_EQ(fields.Code(), GetParam().code);
}

constexpr ErrorCode kHeader = ErrorCode::kContainerHeader;
INSTANTIATE_TEST_SUITE_P(
    Rows, BadSlot,
    testing::Values(
        Row{"version_0", ErrorCode::kContainerVersion, [](SlotBytes& s) { s[4] = 0; }},
        Row{"version_257", ErrorCode::kContainerVersion, [](SlotBytes& s) { s[5] = 1; }},
        Row{"version_before_suite", ErrorCode::kContainerVersion,
            [](SlotBytes& s) { s[4] = s[8] = 2; }},
        Row{"suite_0", ErrorCode::kContainerSuite, [](SlotBytes& s) { s[8] = 0; }},
        Row{"suite_257", ErrorCode::kContainerSuite, [](SlotBytes& s) { s[9] = 1; }},
        Row{"suite_before_fields", ErrorCode::kContainerSuite,
            [](SlotBytes& s) { s[8] = 2, s[10] = 0; }},
        Row{"chunk_11", kHeader, [](SlotBytes& s) { s[10] = 11; }},
        Row{"chunk_21", kHeader, [](SlotBytes& s) { s[10] = 21; }},
        Row{"state_0", kHeader, [](SlotBytes& s) { s[11] = 0; }},
        Row{"state_3", kHeader, [](SlotBytes& s) { s[11] = 3; }},
        Row{"generation_0", kHeader, [](SlotBytes& s) { s[16] = 0; }},
        Row{"plain_size", kHeader, [](SlotBytes& s) { s[31] = 1; }},
        Row{"epoch_0", kHeader, [](SlotBytes& s) { s[88] = 0; }},
        Row{"label_length_0", kHeader, [](SlotBytes& s) { s[92] = 0; }},
        Row{"label_length_65", kHeader, [](SlotBytes& s) { s[92] = 65; }},
        Row{"label_length_short", kHeader, [](SlotBytes& s) { --s[92]; }},
        Row{"label_length_long", kHeader, [](SlotBytes& s) { ++s[92]; }},
        Row{"area_length_0", kHeader, [](SlotBytes& s) { s[93] = 0; }},
        Row{"area_length_97", kHeader, [](SlotBytes& s) { s[93] = 97; }},
        Row{"area_control", kHeader, [](SlotBytes& s) { s[160] = 7; }},
        Row{"extensions_length_1025", kHeader, [](SlotBytes& s) { s[94] = 1, s[95] = 4; }},
        Row{"extensions_length_65535", kHeader, [](SlotBytes& s) { s[94] = s[95] = 0xFF; }},
        Row{"extensions_padding", kHeader, [](SlotBytes& s) { s[1279] = 1; }},
        Row{"extensions_value_overruns", kHeader, [](SlotBytes& s) { s[259] = 0xFF; }}),
    [](const auto& row) { return row.param.id; });

}  // namespace
}  // namespace sealway
