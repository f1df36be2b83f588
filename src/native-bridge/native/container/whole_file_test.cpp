// Whole files: sealing and opening, and what the accumulator finds that single frames cannot.
#include "container/whole_file.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <vector>

#include "common/bytes.h"
#include "common/io.h"
#include "common/unique_fd.h"
#include "container/test_file.h"

namespace sealway {
namespace {

using ByteString = std::vector<std::uint8_t>;
constexpr std::uint64_t kChunk = 4096;

UniqueFd MemFile(const ByteString& bytes = {}) {
  UniqueFd fd(::memfd_create("file", MFD_CLOEXEC));
  EXPECT_TRUE(PwriteAll(fd.Get(), bytes, 0).Ok());
  return fd;
}

ByteString ReadAll(const UniqueFd& fd) {
  ByteString bytes(static_cast<std::size_t>(::lseek(fd.Get(), 0, SEEK_END)));
  EXPECT_EQ(Need(PreadUpTo(fd.Get(), bytes, 0)), bytes.size());
  return bytes;
}

ByteString Pattern(std::size_t size) {
  ByteString bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 31 + i / 251);
  return bytes;
}

SlotFields Fields(std::uint8_t chunk_log2 = 12) {
  SlotFields fields = TestFields();
  fields.chunk_log2 = chunk_log2;
  return fields;
}

ByteString Seal(const ByteString& plain, const SlotFields& fields = Fields()) {
  const UniqueFd in = MemFile(plain), out = MemFile();
  static_cast<void>(Need(SealFile(in.Get(), out.Get(), fields, TestKey(1))));
  return ReadAll(out);
}

struct Opened {
  Result<OpenedFile> result;
  ByteString plain;
};
Opened Open(const ByteString& sealed) {
  const UniqueFd in = MemFile(sealed), out = MemFile();
  auto result = OpenFile(in.Get(), out.Get(), TestKey(1));
  return {std::move(result), ReadAll(out)};
}

struct SizeRow {
  std::uint8_t log2;
  std::size_t size;
};
class Sizes : public testing::TestWithParam<SizeRow> {};
TEST_P(Sizes, RoundTrip) {
  const ByteString plain = Pattern(GetParam().size);
  const SlotFields fields = Fields(GetParam().log2);
  const ByteString sealed = Seal(plain, fields);
  EXPECT_EQ(sealed.size(), fields.Layout().DiskSize(plain.size()));
  const Opened opened = Open(sealed);
  ASSERT_TRUE(opened.result.Ok());
  EXPECT_EQ(opened.plain, plain);
  EXPECT_EQ(opened.result->fields.state, kStateSealed);
  EXPECT_EQ(opened.result->fields.generation, 2U);
  EXPECT_FALSE(opened.result->unclean);
}
INSTANTIATE_TEST_SUITE_P(ChunkAndBytes, Sizes,
                         testing::Values(SizeRow{12, 0}, SizeRow{12, 1}, SizeRow{12, 4095},
                                         SizeRow{12, 4096}, SizeRow{12, 4097}, SizeRow{12, 12293},
                                         SizeRow{12, (1 << 20) + 1}, SizeRow{14, 16384},
                                         SizeRow{14, 49157}, SizeRow{20, 1},
                                         SizeRow{20, (2 << 20) + 7}, SizeRow{13, 3 << 20}));

TEST(SealFile, GivesANewFileIdWhenNoneIsSet) {
  SlotFields fields = Fields();
  fields.file_id = {};
  const auto first = Need(ParseHead(Seal({}, fields))), second = Need(ParseHead(Seal({}, fields)));
  EXPECT_FALSE(IsZero(first.fields.file_id));
  EXPECT_NE(first.fields.file_id, second.fields.file_id);
}

TEST(SealFile, RefusesFieldsOutOfRange) {
  const UniqueFd in = MemFile(), out = MemFile();
  SlotFields fields = Fields();
  fields.chunk_log2 = 64;
  EXPECT_EQ(SealFile(in.Get(), out.Get(), fields, TestKey(1)).Code(), ErrorCode::kInvalid);
}

// Three chunks and five bytes. A frame that is put elsewhere or changed leaves its own tag wrong; a
// frame that is missing, older or zeroed is found by the accumulator alone.
struct Attack {
  const char* id;
  ErrorCode code;
  std::function<void(ByteString& now, const ByteString& older)> run;
};
class Attacks : public testing::TestWithParam<Attack> {};
std::ptrdiff_t At(std::uint64_t frame) {
  return static_cast<std::ptrdiff_t>(Geometry{12}.FrameOffset(frame));
}

TEST_P(Attacks, AreFoundBeforeAByteGoesOut) {
  // Two generations of one file: the older one's frames are authentic under the same file key.
  const ByteString older = Seal(Pattern(3 * kChunk + 5));
  ByteString now = older;
  ParsedHead head = Need(ParseHead(now));
  HeadSecret secret = Need(OpenSecret(head, TestKey(1)));
  const FrameCipher cipher(secret.file_key, head.fields.file_id);
  XorInto(secret.accumulator, cipher.TagDigest(1, &now[static_cast<std::size_t>(At(2)) - 16]));
  ASSERT_TRUE(cipher.Seal(1, ByteString(kChunk, 0x77), &now[static_cast<std::size_t>(At(1))]));
  XorInto(secret.accumulator, cipher.TagDigest(1, &now[static_cast<std::size_t>(At(2)) - 16]));
  const SlotWrite write = Need(NextSlot(head, head.fields, secret, TestKey(1)));
  std::copy(write.bytes.begin(), write.bytes.end(),
            now.begin() + static_cast<std::ptrdiff_t>(write.disk_offset));
  ASSERT_TRUE(Open(now).result.Ok()) << "the incremental accumulator is that of the whole";

  GetParam().run(now, older);
  const Opened opened = Open(now);
  ASSERT_FALSE(opened.result.Ok());
  EXPECT_EQ(Name(opened.result.Code()), Name(GetParam().code));
  EXPECT_TRUE(opened.plain.empty());
}
INSTANTIATE_TEST_SUITE_P(
    Rows, Attacks,
    testing::Values(Attack{"older_chunk", ErrorCode::kContainerSeal,
                           [](ByteString& now, const ByteString& older) {
                             std::copy(older.begin() + At(1), older.begin() + At(2),
                                       now.begin() + At(1));
                           }},
                    Attack{"zeroed_chunk", ErrorCode::kContainerSeal,
                           [](ByteString& now, const ByteString&) {
                             std::fill(now.begin() + At(1), now.begin() + At(2), std::uint8_t{0});
                           }},
                    Attack{"swapped_chunks", ErrorCode::kContainerChunk,
                           [](ByteString& now, const ByteString&) {
                             std::swap_ranges(now.begin() + At(0), now.begin() + At(1),
                                              now.begin() + At(1));
                           }},
                    Attack{"last_frame_gone", ErrorCode::kContainerTruncated,
                           [](ByteString& now, const ByteString&) {
                             now.resize(static_cast<std::size_t>(At(3)));
                           }},
                    Attack{"last_byte_gone", ErrorCode::kContainerTruncated,
                           [](ByteString& now, const ByteString&) { now.pop_back(); }},
                    Attack{"a_byte_more", ErrorCode::kContainerSeal,
                           [](ByteString& now, const ByteString&) { now.push_back(0); }},
                    Attack{"a_hole_more", ErrorCode::kContainerSeal,
                           [](ByteString& now, const ByteString&) {
                             now.resize(static_cast<std::size_t>(At(4)) + 29);
                           }},
                    Attack{"tag_changed", ErrorCode::kContainerChunk,
                           [](ByteString& now, const ByteString&) { now.back() ^= 1; }}),
    [](const auto& row) { return row.param.id; });

TEST(OpenFile, NamesTheDamagedChunk) {
  ByteString sealed = Seal(Pattern(3 * kChunk));
  sealed[static_cast<std::size_t>(At(2)) + 100] ^= 1;
  const Opened opened = Open(sealed);
  ASSERT_FALSE(opened.result.Ok());
  EXPECT_EQ(opened.result.Code(), ErrorCode::kContainerChunk);
  EXPECT_EQ(opened.result.GetError().detail, "chunk 2");
}

TEST(OpenFile, OpensAfterALabelChangeWithTheFramesUntouched) {
  const ByteString plain = Pattern(2 * kChunk + 1);
  const ByteString sealed = Seal(plain);
  ParsedHead head = Need(ParseHead(sealed));
  const HeadSecret secret = Need(OpenSecret(head, TestKey(1)));
  SlotFields fields = head.fields;
  fields.label = "public";
  const SlotWrite write = Need(NextSlot(head, fields, secret, TestKey(2)));
  ByteString relabelled = sealed;
  std::copy(write.bytes.begin(), write.bytes.end(),
            relabelled.begin() + static_cast<std::ptrdiff_t>(write.disk_offset));

  const UniqueFd in = MemFile(relabelled), out = MemFile();
  const auto opened = Need(OpenFile(in.Get(), out.Get(), TestKey(2)));
  EXPECT_EQ(opened.fields.label, "public");
  EXPECT_EQ(ReadAll(out), plain);
  EXPECT_TRUE(
      std::equal(sealed.begin() + kHeadBytes, sealed.end(), relabelled.begin() + kHeadBytes));
  EXPECT_EQ(Open(relabelled).result.Code(), ErrorCode::kContainerKey);
}

TEST(CheckedPlainSize, OfAnOpenFileFollowsTheDisk) {
  SlotFields fields = Fields();
  fields.state = kStateOpen;
  EXPECT_EQ(Need(CheckedPlainSize(fields, kHeadBytes + 29)), 1U);
  fields.state = kStateSealed;
  fields.plain_size = 1;
  EXPECT_EQ(Need(CheckedPlainSize(fields, kHeadBytes + 29)), 1U);
  EXPECT_EQ(CheckedPlainSize(fields, kHeadBytes).Code(), ErrorCode::kContainerTruncated);
  EXPECT_EQ(CheckedPlainSize(fields, kHeadBytes + 30).Code(), ErrorCode::kContainerSeal);
  EXPECT_EQ(CheckedPlainSize(fields, 10).Code(), ErrorCode::kContainerShort);
}

// 2 GiB of holes with two frames in them: looked at frame by frame this would take seconds.
TEST(ScanAccumulator, SkipsHoles) {
  const Geometry geometry{14};
  const FrameCipher cipher(TestKey(1), TestFields().file_id);
  const UniqueFd fd(::memfd_create("sparse", MFD_CLOEXEC));
  const std::uint64_t disk = geometry.DiskSize(std::uint64_t{2} << 30);
  ASSERT_EQ(::ftruncate(fd.Get(), static_cast<off_t>(disk)), 0);
  Digest32 want{};
  for (const std::uint64_t index : {std::uint64_t{77}, std::uint64_t{130000}}) {
    ByteString frame(geometry.FrameSize());
    ASSERT_TRUE(cipher.Seal(index, ByteString(geometry.ChunkSize(), 1), frame.data()));
    ASSERT_TRUE(PwriteAll(fd.Get(), frame, geometry.FrameOffset(index)).Ok());
    XorInto(want, cipher.TagDigest(index, &frame[frame.size() - 16]));
  }
  EXPECT_TRUE(SameDigest(Need(ScanAccumulator(fd.Get(), geometry, cipher, disk)), want));
}

TEST(ScanAccumulator, ReportsAFileThatBecameShorter) {
  const Geometry geometry{12};
  const FrameCipher cipher(TestKey(1), TestFields().file_id);
  const UniqueFd fd = MemFile(ByteString(kHeadBytes));
  const auto scanned = ScanAccumulator(fd.Get(), geometry, cipher, geometry.DiskSize(5));
  ASSERT_FALSE(scanned.Ok());
  EXPECT_EQ(scanned.Code(), ErrorCode::kContainerTruncated);
}

}  // namespace
}  // namespace sealway
