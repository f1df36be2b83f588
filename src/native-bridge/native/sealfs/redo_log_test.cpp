// The redo log: a write that was cut anywhere is finished by replaying its record.
#include "sealfs/redo_log.h"

#include <unistd.h>

#include "sealfs/test_files.h"

namespace sealway::sealfs {
namespace {

using Bytes = std::vector<std::uint8_t>;

const RedoTarget kTarget{1, 42, {9}};

TEST(RedoLog, KeepsRecordsOfAKilledProcess) {
  const TestFolder folder;
  const auto path = folder / "redo";
  {
    RedoLog log;
    ASSERT_TRUE(log.Open(path));
    EXPECT_TRUE(log.Records().empty());
    auto ticket = log.Begin(kTarget, 4096, Bytes(100, 'x'), 4196);
    // What a killed process leaves is what another one sees while the ticket is held.
    RedoLog next;
    ASSERT_TRUE(next.Open(path));
    const auto records = next.Records();
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].target.ino, 42U);
    EXPECT_EQ(records[0].disk_offset, 4096U);
    EXPECT_EQ(records[0].bytes, Bytes(100, 'x'));
    EXPECT_EQ(records[0].final_size, 4196);
  }
  RedoLog after;
  ASSERT_TRUE(after.Open(path));
  EXPECT_TRUE(after.Records().empty()) << "a finished write leaves no record";
}

TEST(RedoLog, RemembersFilesLeftOpen) {
  const TestFolder folder;
  const auto path = folder / "redo";
  {
    RedoLog log;
    ASSERT_TRUE(log.Open(path));
    log.MarkDirty({1, 5, {}});
    log.MarkDirty({1, 6, {}});
    log.MarkDirty({1, 6, {}});
    log.ClearDirty({1, 5, {}});
  }
  RedoLog log;
  ASSERT_TRUE(log.Open(path));
  ASSERT_EQ(log.Dirty().size(), 1U);
  EXPECT_EQ(log.Dirty()[0].ino, 6U);
}

TEST(RedoLog, AForeignFileIsStartedAfresh) {
  const TestFolder folder;
  const auto path = folder / "redo";
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_TRUE(PwriteAll(fd.Get(), Bytes(200'000, 0xff), 0));
  RedoLog log;
  ASSERT_TRUE(log.Open(path));
  EXPECT_TRUE(log.Records().empty());
  EXPECT_TRUE(log.Dirty().empty());
}

// What the disk and the log hold at the moment of a kill: the overwrite applied up to byte `cut`.
void ReplayOnto(const std::string& path, const RedoRecord& record) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(PwriteAll(fd.Get(), record.bytes, record.disk_offset));
  if (record.final_size < 0) return;
  ASSERT_EQ(::ftruncate(fd.Get(), record.final_size), 0);
}

struct CutCase {
  const char* id;
  std::size_t size;    // of the document before
  std::size_t offset;  // of the write
  std::size_t length;
};

class RedoCut : public testing::TestWithParam<CutCase> {};

// Each cut of the in-place part, at a stride that meets every residue: the document read after the
// replay is the old one with the write's old part replaced, and never damaged.
TEST_P(RedoCut, AnyCutLeavesAReadableFile) {
  const auto& [id, size, offset, length] = GetParam();
  const TestFolder folder;
  const auto path = folder / "f";
  MakeTestFile(path, 12);
  Fault fault;
  Bytes model(size, 'o');
  {
    auto file = OpenTestFile(path);
    ASSERT_EQ(file->Write(0, model, &fault), 0);
  }
  const auto before = DiskBytes(path);
  {
    auto file = OpenTestFile(path);
    ASSERT_EQ(file->Write(offset, Bytes(length, 'n'), &fault), 0);
  }
  const auto after = DiskBytes(path);
  const Geometry layout{12};
  // The record as Store makes it: the overwritten frames, and the size they end at when the last
  // frame of the file is among them.
  const auto first = layout.ChunkOf(offset);
  const auto old_last = layout.FrameCount(size) - 1;
  const auto last = std::min(layout.ChunkOf(offset + length - 1), old_last);
  const auto new_size = std::max(size, offset + length);
  const auto from = layout.FrameOffset(first);
  const auto end = layout.FrameOffset(last) + layout.PlainBytesIn(last, new_size) + kFrameOverhead;
  RedoRecord record;
  record.disk_offset = from;
  record.bytes.assign(after.begin() + static_cast<std::ptrdiff_t>(from),
                      after.begin() + static_cast<std::ptrdiff_t>(end));
  record.final_size = last == old_last ? static_cast<std::int64_t>(end) : -1;
  const std::size_t known = std::min<std::size_t>(offset + length, (last + 1) << 12);
  Bytes want = model;
  want.resize(std::max(size, known));
  std::fill(want.begin() + static_cast<std::ptrdiff_t>(offset),
            want.begin() + static_cast<std::ptrdiff_t>(known), std::uint8_t{'n'});
  for (std::size_t cut = from; cut <= after.size(); cut += 61) {
    Bytes torn = before;
    if (cut > torn.size()) torn.resize(cut);
    std::copy(after.begin() + static_cast<std::ptrdiff_t>(from),
              after.begin() + static_cast<std::ptrdiff_t>(cut),
              torn.begin() + static_cast<std::ptrdiff_t>(from));
    PutDiskBytes(path, torn);
    ReplayOnto(path, record);
    auto file = OpenTestFile(path);
    ASSERT_EQ(ReadAll(*file), want) << id << " cut at " << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(Redo, RedoCut,
                         testing::Values(CutCase{"inside-one-frame", 10'000, 5'000, 100},
                                         CutCase{"whole-frames", 20'000, 4'096, 8'192},
                                         CutCase{"across-the-end", 10'000, 9'000, 6'000},
                                         CutCase{"last-frame-grows", 10'000, 10'000, 500}),
                         [](const auto& test) {
                           std::string name = test.param.id;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace sealway::sealfs
