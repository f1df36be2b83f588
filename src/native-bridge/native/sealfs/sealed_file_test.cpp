// A sealed file against a plain one: any sequence of operations gives the same bytes.
#include "sealfs/sealed_file.h"

#include <cstdlib>
#include <random>

#include "sealfs/test_files.h"

namespace sealway::sealfs {
namespace {

using Bytes = std::vector<std::uint8_t>;

// SEALWAY_TEST_SEED and SEALWAY_TEST_OPS repeat or lengthen a run.
std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class Oracle {
 public:
  Oracle(std::string path, std::uint8_t chunk_log2, std::uint64_t seed)
      : path_(std::move(path)), random_(seed) {
    MakeTestFile(path_, chunk_log2);
    file_ = OpenTestFile(path_);
    limit_ = std::size_t{6} << chunk_log2;
  }

  void Step() {
    switch (Below(10)) {
      case 0:
        return Resize(Below(limit_));
      case 1:
        return Zero(Below(limit_), Below(limit_ / 2));
      case 2:
        return Below(20) == 0 ? Reopen() : Read(Below(limit_), Below(limit_ / 2));
      case 3:
      case 4:
      case 5:
        return Read(Below(limit_), Below(limit_ / 2));
      case 6:
        return Write(model_.size(), Below(200));
      default:
        return Write(Below(limit_), Below(Below(4) == 0 ? limit_ / 2 : 300));
    }
  }

  void Reopen() {
    const bool seal = Below(2) == 0;
    if (seal) {
      ASSERT_EQ(file_->Seal(file_->Changes()), 0);
    }
    file_ = OpenTestFile(path_);
    ASSERT_EQ(file_->NeedsVerify(), seal || !file_->IsOpenState());
    Fault fault;
    ASSERT_EQ(file_->Verify(&fault), 0) << Name(fault.code);
    ASSERT_EQ(ReadAll(*file_), model_);
  }

 private:
  std::size_t Below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  void Write(std::size_t offset, std::size_t size) {
    Bytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_());
    Fault fault;
    ASSERT_EQ(file_->Write(offset, bytes, &fault), 0);
    if (size == 0) return;
    if (offset + size > model_.size()) model_.resize(offset + size);
    std::copy(bytes.begin(), bytes.end(), model_.begin() + static_cast<std::ptrdiff_t>(offset));
    ASSERT_EQ(file_->PlainSize(), model_.size());
  }

  void Resize(std::size_t size) {
    Fault fault;
    ASSERT_EQ(file_->Resize(size, &fault), 0);
    model_.resize(size);
    ASSERT_EQ(file_->PlainSize(), size);
  }

  void Zero(std::size_t offset, std::size_t size) {
    Fault fault;
    ASSERT_EQ(file_->Zero(offset, size, &fault), 0);
    for (std::size_t i = offset; i < std::min(model_.size(), offset + size); ++i) model_[i] = 0;
  }

  void Read(std::size_t offset, std::size_t size) {
    Bytes out(size);
    std::size_t done = 0;
    Fault fault;
    ASSERT_EQ(file_->Read(offset, out, &done, &fault), 0);
    const std::size_t left = offset < model_.size() ? model_.size() - offset : 0;
    ASSERT_EQ(done, std::min(size, left));
    ASSERT_TRUE(
        std::equal(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(done),
                   model_.begin() + static_cast<std::ptrdiff_t>(std::min(offset, model_.size()))));
  }

  std::string path_;
  std::mt19937_64 random_;
  std::shared_ptr<SealedFile> file_;
  Bytes model_;
  std::size_t limit_ = 0;
};

TEST(SealedFile, BehavesLikeAPlainFile) {
  const TestFolder folder;
  const std::uint64_t seed = FromEnvironment("SEALWAY_TEST_SEED", std::random_device()());
  const std::uint64_t operations = FromEnvironment("SEALWAY_TEST_OPS", 20'000);
  SCOPED_TRACE("SEALWAY_TEST_SEED=" + std::to_string(seed));
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  for (const std::uint8_t chunk_log2 : {12, 14}) {
    Oracle oracle(folder / ("f" + std::to_string(chunk_log2)), chunk_log2, seed + chunk_log2);
    for (std::uint64_t i = 0; i < operations / 2; ++i) {
      oracle.Step();
      if (HasFatalFailure()) FAIL() << "operation " << i;
    }
    oracle.Reopen();
  }
}

TEST(SealedFile, LongWritesAreSplitIntoRuns) {
  const TestFolder folder;
  MakeTestFile(folder / "f", 12);
  auto file = OpenTestFile(folder / "f");
  Bytes bytes(5'000'000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 31 >> 7);
  Fault fault;
  ASSERT_EQ(file->Write(0, bytes, &fault), 0);
  ASSERT_EQ(file->Write(1'000'001, std::span(bytes).first(3'000'000), &fault), 0);
  Bytes want = bytes;
  std::copy(bytes.begin(), bytes.begin() + 3'000'000, want.begin() + 1'000'001);
  EXPECT_EQ(ReadAll(*file), want);
}

class Tampering : public testing::Test {
 protected:
  void SetUp() override {
    MakeTestFile(path_, 12);
    auto file = OpenTestFile(path_);
    Fault fault;
    ASSERT_EQ(file->Write(0, Bytes(20'000, 'a'), &fault), 0);
    ASSERT_EQ(file->Seal(file->Changes()), 0);
    old_ = DiskBytes(path_);
    ASSERT_EQ(file->Write(5'000, Bytes(10, 'b'), &fault), 0);
    ASSERT_EQ(file->Seal(file->Changes()), 0);
  }
  TestFolder folder_;
  std::string path_ = folder_ / "f";
  Bytes old_;  // an older version of the whole file
};

TEST_F(Tampering, AnOlderFramePutBackFailsTheSeal) {
  auto bytes = DiskBytes(path_);
  const std::size_t frame = 4096 + 28;
  std::copy_n(old_.begin() + 4096 + frame, frame, bytes.begin() + 4096 + frame);
  PutDiskBytes(path_, bytes);
  auto file = OpenTestFile(path_);
  Fault fault;
  EXPECT_EQ(file->Verify(&fault), EIO);
  EXPECT_EQ(fault.code, ErrorCode::kContainerSeal);
  std::size_t done = 0;
  Bytes out(10);
  EXPECT_EQ(file->Read(0, out, &done, &fault), EIO) << "every later read fails";
}

TEST_F(Tampering, AZeroedFrameIsNeverReturnedAsAHole) {
  auto bytes = DiskBytes(path_);
  std::fill_n(bytes.begin() + 4096, 4096 + 28, std::uint8_t{0});
  PutDiskBytes(path_, bytes);
  auto file = OpenTestFile(path_);
  std::size_t done = 0;
  Bytes out(10);
  Fault fault;
  EXPECT_EQ(file->Read(0, out, &done, &fault), EIO);
  EXPECT_EQ(done, 0U);
}

TEST_F(Tampering, AChangedByteFailsTheChunk) {
  auto bytes = DiskBytes(path_);
  bytes[9'000] ^= 1;
  PutDiskBytes(path_, bytes);
  auto file = OpenTestFile(path_);
  std::size_t done = 0;
  Bytes out(20'000);
  Fault fault;
  EXPECT_EQ(file->Read(0, out, &done, &fault), EIO);
  EXPECT_EQ(fault.code, ErrorCode::kContainerChunk);
  EXPECT_EQ(fault.chunk, 1U);
}

TEST_F(Tampering, AWriterDoesNotLaunderAnOlderFrame) {
  auto bytes = DiskBytes(path_);
  const std::size_t frame = 4096 + 28;
  std::copy_n(old_.begin() + 4096 + frame, frame, bytes.begin() + 4096 + frame);
  PutDiskBytes(path_, bytes);
  {
    auto file = OpenTestFile(path_);
    Fault fault;
    ASSERT_EQ(file->Write(0, Bytes(10, 'c'), &fault), 0);
    ASSERT_EQ(file->Seal(file->Changes()), 0);
  }
  auto file = OpenTestFile(path_);
  Fault fault;
  EXPECT_EQ(file->Verify(&fault), EIO);
}

TEST_F(Tampering, RevokedFileGivesNothing) {
  auto file = OpenTestFile(path_);
  file->Revoke();
  std::size_t done = 0;
  Bytes out(10);
  Fault fault;
  EXPECT_EQ(file->Read(0, out, &done, &fault), EKEYREVOKED);
  EXPECT_EQ(file->Write(0, out, &fault), EKEYREVOKED);
  EXPECT_EQ(file->Resize(0, &fault), EKEYREVOKED);
}

TEST_F(Tampering, SealingKeepsTheModificationTime) {
  auto file = OpenTestFile(path_);
  Fault fault;
  ASSERT_EQ(file->Write(0, Bytes(1, 'x'), &fault), 0);
  const std::array<struct timespec, 2> times = {timespec{1, 0}, timespec{1234, 5678}};
  ASSERT_EQ(::futimens(file->Fd(), times.data()), 0);
  ASSERT_EQ(file->Seal(file->Changes()), 0);
  struct stat status {};
  ASSERT_EQ(::fstat(file->Fd(), &status), 0);
  EXPECT_EQ(status.st_mtim.tv_sec, 1234);
  EXPECT_EQ(status.st_mtim.tv_nsec, 5678);
}

TEST_F(Tampering, AChangeSinceTheSyncIsNotSealed) {
  auto file = OpenTestFile(path_);
  Fault fault;
  ASSERT_EQ(file->Write(0, Bytes(1, 'x'), &fault), 0);
  const auto synced = file->Changes();
  ASSERT_EQ(file->Write(0, Bytes(1, 'y'), &fault), 0);
  EXPECT_EQ(file->Seal(synced), EAGAIN);
  EXPECT_TRUE(file->IsOpenState());
}

}  // namespace
}  // namespace sealway::sealfs
