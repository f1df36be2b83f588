// The head: round trip, what a new one holds, what is authenticated, what a writer refuses.
#include "container/head.h"

#include <gtest/gtest.h>

#include <functional>

#include "common/bytes.h"
#include "container/slot_codec.h"
#include "container/test_file.h"

namespace sealway {
namespace {

TEST(MakeHead, GivesAnOpenFileOfGenerationOne) {
  const Key32 key = TestKey(1);
  auto secret = Need(NewHeadSecret());
  secret.accumulator.fill(9);
  SlotFields fields = TestFields();
  fields.state = kStateSealed;
  fields.generation = 44;
  fields.plain_size = 55;
  const HeadBytes bytes = Need(MakeHead(fields, secret, key));
  const ParsedHead head = Need(ParseHead(bytes));

  SlotFields want = TestFields();
  want.state = kStateOpen;
  want.generation = 1;
  EXPECT_EQ(head.fields, want);
  EXPECT_EQ(head.slot_index, 0);
  EXPECT_FALSE(head.slot_damaged);
  EXPECT_TRUE(IsZero(std::span(bytes).subspan(kSlotOffset[1])));
  const HeadSecret opened = Need(OpenSecret(head, key));
  EXPECT_TRUE(opened.file_key.Equals(secret.file_key));
  EXPECT_TRUE(IsZero(opened.accumulator));
}

TEST(MakeHead, BeginsWithALineForPeople) {
  const HeadBytes bytes = Need(MakeHead(TestFields(), Need(NewHeadSecret()), TestKey(1)));
  const std::string text(bytes.begin(), bytes.begin() + kPreambleBytes);
  EXPECT_TRUE(
      text.starts_with("SEALWAY1 This file is sealed by Sealway. It opens only for people "
                       "whom its owner allows: ask the sender or your IT desk, or see "
                       "sealway info.\n  "));
  EXPECT_EQ(text.back(), '\n');
  EXPECT_TRUE(HasMagic(bytes));
}

struct TextRow {
  const char* id;
  std::string text;
  bool fits;
};
class PreambleText : public testing::TestWithParam<TextRow> {};
TEST_P(PreambleText, IsCheckedBeforeItIsWritten) {
  const auto head = MakeHead(TestFields(), Need(NewHeadSecret()), TestKey(1), GetParam().text);
  EXPECT_EQ(head.Ok(), GetParam().fits);
}
INSTANTIATE_TEST_SUITE_P(Texts, PreambleText,
                         testing::Values(TextRow{"longest", std::string(502, 'x'), true},
                                         TextRow{"too_long", std::string(503, 'x'), false},
                                         TextRow{"empty", "", true},
                                         TextRow{"two_newlines", "a\nb\n", false},
                                         TextRow{"escape", "\x1B[2J", false},
                                         TextRow{"not_utf8", "\xFF", false}),
                         [](const auto& row) { return row.param.id; });

TEST(OpenSecret, GivesWhatWasSealed) {
  const TestFile file;
  const ParsedHead again = Need(ParseHead(file.head.raw));
  EXPECT_EQ(again.fields, file.head.fields);
  EXPECT_EQ(again.fields.plain_size, 12345U);
  EXPECT_EQ(again.slot_index, 1);
  const HeadSecret secret = Need(OpenSecret(again, file.key));
  EXPECT_TRUE(secret.file_key.Equals(file.secret.file_key));
  EXPECT_EQ(secret.accumulator, file.secret.accumulator);
}

TEST(OpenSecret, RefusesAnotherKey) {
  const TestFile file;
  const auto secret = OpenSecret(file.head, TestKey(2));
  ASSERT_FALSE(secret.Ok());
  EXPECT_EQ(secret.Code(), ErrorCode::kContainerKey);
}

// Every byte of the head that is not the other slot is vouched for: a change of any of them, with
// the checksum repaired, gives a refusal. (A change of magic or slot choice is refused earlier.)
TEST(OpenSecret, AuthenticatesEveryByteOfTheHead) {
  const TestFile file;
  const std::size_t slot = kSlotOffset[1];
  for (std::size_t at = 0; at < kHeadBytes; ++at) {
    if (at >= kSlotOffset[0] && at < kSlotOffset[0] + kSlotBytes) continue;  // not in force
    if (at >= slot + kSlotChecksum && at < slot + kSlotBytes) continue;      // repaired
    HeadBytes bytes = file.head.raw;
    bytes[at] ^= 0x40;
    SetChecksum(SlotSpan(bytes.data() + slot, kSlotBytes));
    const auto head = ParseHead(bytes);
    if (!head) continue;
    const bool same_slot = head->slot_index == 1;
    const auto secret = OpenSecret(*head, file.key);
    // The slot magic or the generation changed: the older slot is in force, honestly.
    EXPECT_TRUE(!secret.Ok() || !same_slot) << "byte " << at;
    EXPECT_TRUE(secret.Ok() || secret.Code() == ErrorCode::kContainerKey) << "byte " << at;
  }
}

TEST(NextSlot, DrawsAFreshNonceAndLeavesTheOtherSlotAlone) {
  TestFile file;
  const HeadBytes before = file.head.raw;
  const SlotWrite first = Need(NextSlot(file.head, file.head.fields, file.secret, file.key));
  EXPECT_EQ(first.disk_offset, kSlotOffset[0]);
  EXPECT_TRUE(std::equal(before.begin() + 2048, before.end(), file.head.raw.begin() + 2048));
  EXPECT_TRUE(std::equal(before.begin(), before.begin() + 512, file.head.raw.begin()));
  EXPECT_NE(ToHex(std::span(first.bytes).subspan(kSlotSecretNonce, 12)),
            ToHex(std::span(before).subspan(2048 + kSlotSecretNonce, 12)));
  EXPECT_EQ(file.head.fields.generation, 3U);
  EXPECT_EQ(Need(ParseHead(file.head.raw)).fields, file.head.fields);
}

TEST(NextSlot, OpeningHidesSizeAndAccumulator) {
  TestFile file;
  SlotFields fields = file.head.fields;
  fields.state = kStateOpen;
  static_cast<void>(Need(NextSlot(file.head, fields, file.secret, file.key)));
  EXPECT_EQ(file.head.fields.plain_size, 0U);
  EXPECT_TRUE(IsZero(Need(OpenSecret(file.head, file.key)).accumulator));
}

TEST(NextSlot, RelabellingChangesTheKeyAndKeepsTheFileKey) {
  TestFile file;
  SlotFields fields = file.head.fields;
  fields.label = "public";
  fields.epoch = 8;
  const Key32 other = TestKey(2);
  static_cast<void>(Need(NextSlot(file.head, fields, file.secret, other)));
  const ParsedHead head = Need(ParseHead(file.head.raw));
  EXPECT_EQ(head.fields.label, "public");
  EXPECT_EQ(head.fields.extensions, TestFields().extensions);
  EXPECT_EQ(head.fields.flags, TestFields().flags);
  EXPECT_FALSE(OpenSecret(head, file.key).Ok());
  EXPECT_TRUE(Need(OpenSecret(head, other)).file_key.Equals(file.secret.file_key));
}

struct FieldsRow {
  const char* id;
  std::function<void(SlotFields&)> change;
};
class UnwritableFields : public testing::TestWithParam<FieldsRow> {};
TEST_P(UnwritableFields, AreRefusedAndChangeNothing) {
  TestFile file;
  const ParsedHead before = file.head;
  SlotFields fields = file.head.fields;
  GetParam().change(fields);
  const auto write = NextSlot(file.head, fields, file.secret, file.key);
  EXPECT_FALSE(write.Ok());
  EXPECT_EQ(file.head.raw, before.raw);
  EXPECT_EQ(file.head.fields, before.fields);
}
INSTANTIATE_TEST_SUITE_P(
    Rows, UnwritableFields,
    testing::Values(FieldsRow{"other_file_id", [](SlotFields& f) { f.file_id[0] ^= 1; }},
                    FieldsRow{"other_chunk_size", [](SlotFields& f) { f.chunk_log2 = 13; }},
                    FieldsRow{"suite", [](SlotFields& f) { f.suite = 2; }},
                    FieldsRow{"state", [](SlotFields& f) { f.state = 3; }},
                    FieldsRow{"plain_size",
                              [](SlotFields& f) { f.plain_size = kMaxPlainSize + 1; }},
                    FieldsRow{"epoch", [](SlotFields& f) { f.epoch = 0; }},
                    FieldsRow{"no_label", [](SlotFields& f) { f.label.clear(); }},
                    FieldsRow{"long_label", [](SlotFields& f) { f.label.assign(65, 'l'); }},
                    FieldsRow{"control_label", [](SlotFields& f) { f.label = "a\nb"; }},
                    FieldsRow{"no_area", [](SlotFields& f) { f.area.clear(); }},
                    FieldsRow{"long_area", [](SlotFields& f) { f.area.assign(97, 'a'); }},
                    FieldsRow{"cut_extension", [](SlotFields& f) { f.extensions.pop_back(); }},
                    FieldsRow{"same_extension_twice",
                              [](SlotFields& f) { f.extensions = {1, 0, 0, 0, 1, 0, 0, 0}; }},
                    FieldsRow{"long_extensions",
                              [](SlotFields& f) {
                                f.extensions.assign(1025, 0);
                                f.extensions[2] = 0xFD;
                                f.extensions[3] = 0x03;
                              }}),
    [](const auto& row) { return row.param.id; });

TEST(NextSlot, StopsAtTheLimitOfRandomNonces) {
  TestFile file;
  file.head.fields.generation = std::uint64_t{1} << 32;
  const auto write = NextSlot(file.head, file.head.fields, file.secret, file.key);
  ASSERT_FALSE(write.Ok());
  EXPECT_EQ(write.Code(), ErrorCode::kInvalid);
}

}  // namespace
}  // namespace sealway
