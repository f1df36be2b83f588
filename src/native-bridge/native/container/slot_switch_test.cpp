// Switching slots: whatever part of a slot's write reaches the disk, one honest slot is in force.
#include <gtest/gtest.h>

#include <algorithm>

#include "container/slot_codec.h"
#include "container/test_file.h"

namespace sealway {
namespace {

struct Switch {
  TestFile file;
  HeadBytes before;
  SlotFields old_fields;
  SlotWrite write;

  explicit Switch(int earlier_slots) {
    for (int i = 0; i < earlier_slots; ++i) Next();
    before = file.head.raw;
    old_fields = file.head.fields;
    write = Next();
  }

  // A relabelling, so that old and new differ in more than the generation.
  SlotWrite Next() {
    SlotFields fields = file.head.fields;
    fields.label = fields.label == "public" ? "confidential" : "public";
    return Need(NextSlot(file.head, fields, file.secret, file.key));
  }

  HeadBytes CutAt(std::size_t bytes) const {
    HeadBytes disk = before;
    std::copy_n(write.bytes.begin(), bytes,
                disk.begin() + static_cast<std::ptrdiff_t>(write.disk_offset));
    return disk;
  }
};

// 0: the slot written was all zero or a first one; 1 and 2: A and B in turn, over older slots.
class CutSwitch : public testing::TestWithParam<int> {};

TEST_P(CutSwitch, AtEveryByteLeavesTheOldSlotInForce) {
  const Switch change(GetParam());
  for (std::size_t cut = 0; cut < kSlotBytes; ++cut) {
    const HeadBytes disk = change.CutAt(cut);
    if (disk == change.file.head.raw) continue;  // the bytes not written were already the same
    const ParsedHead head = Need(ParseHead(disk));
    ASSERT_EQ(head.fields, change.old_fields) << "cut at " << cut;
    const auto secret = OpenSecret(head, change.file.key);
    ASSERT_TRUE(secret.Ok()) << "cut at " << cut;
    ASSERT_TRUE(secret->file_key.Equals(change.file.secret.file_key));
  }
}

TEST_P(CutSwitch, WholeBringsTheNewSlotIntoForce) {
  const Switch change(GetParam());
  const ParsedHead head = Need(ParseHead(change.CutAt(kSlotBytes)));
  EXPECT_EQ(head.fields, change.file.head.fields);
  EXPECT_EQ(head.fields.generation, change.old_fields.generation + 1);
  EXPECT_FALSE(head.slot_damaged);
  EXPECT_TRUE(OpenSecret(head, change.file.key).Ok());
}

// Disks write sectors, in any order: each subset of the slot's three sectors.
TEST_P(CutSwitch, AnySubsetOfSectorsLeavesAnHonestSlot) {
  const Switch change(GetParam());
  for (unsigned subset = 0; subset < 8; ++subset) {
    HeadBytes disk = change.before;
    for (std::size_t sector = 0; sector < 3; ++sector) {
      if ((subset >> sector & 1U) == 0) continue;
      std::copy_n(
          change.write.bytes.begin() + static_cast<std::ptrdiff_t>(512 * sector), 512,
          disk.begin() + static_cast<std::ptrdiff_t>(change.write.disk_offset + 512 * sector));
    }
    const ParsedHead head = Need(ParseHead(disk));
    // Not only subset 7: the middle sector may hold the same bytes in both.
    const bool whole = disk == change.file.head.raw;
    EXPECT_TRUE(whole || subset != 7);
    EXPECT_EQ(head.fields, whole ? change.file.head.fields : change.old_fields) << subset;
    EXPECT_TRUE(OpenSecret(head, change.file.key).Ok()) << subset;
  }
}
INSTANTIATE_TEST_SUITE_P(Earlier, CutSwitch, testing::Values(0, 1, 2));

TEST(TornSlot, IsAFinding) {
  const Switch change(1);
  for (const std::size_t cut : {std::size_t{17}, std::size_t{700}, kSlotBytes - 1}) {
    EXPECT_TRUE(Need(ParseHead(change.CutAt(cut))).slot_damaged) << cut;
  }
  EXPECT_FALSE(Need(ParseHead(change.CutAt(0))).slot_damaged);
}

TEST(TornSlot, IsReplacedByTheNextWrite) {
  Switch change(1);
  ParsedHead head = Need(ParseHead(change.CutAt(700)));
  static_cast<void>(Need(NextSlot(head, head.fields, change.file.secret, change.file.key)));
  EXPECT_FALSE(head.slot_damaged);
  const ParsedHead again = Need(ParseHead(head.raw));
  EXPECT_FALSE(again.slot_damaged);
  EXPECT_EQ(again.fields, head.fields);
}

TEST(SlotChoice, BothTornIsRefused) {
  const Switch change(1);
  HeadBytes disk = change.CutAt(700);
  disk[kSlotOffset[static_cast<std::size_t>(1 - (change.write.disk_offset == 512 ? 0 : 1))] + 40] ^=
      1;
  const auto head = ParseHead(disk);
  ASSERT_FALSE(head.Ok());
  EXPECT_EQ(head.Code(), ErrorCode::kContainerHeader);
}

// The newer slot is complete but was changed by somebody without the key. Going back to the older
// one would let them undo a relabelling.
TEST(SlotChoice, NeverFallsBackFromAFailedAuthentication) {
  const Switch change(1);
  HeadBytes disk = change.file.head.raw;
  disk[change.write.disk_offset + kSlotSecret] ^= 1;
  SetChecksum(SlotSpan(disk.data() + change.write.disk_offset, kSlotBytes));
  const ParsedHead head = Need(ParseHead(disk));
  EXPECT_EQ(head.fields.generation, change.file.head.fields.generation);
  const auto secret = OpenSecret(head, change.file.key);
  ASSERT_FALSE(secret.Ok());
  EXPECT_EQ(secret.Code(), ErrorCode::kContainerKey);
}

}  // namespace
}  // namespace sealway
