// Temporary folders and sealed files for the tests of sealfs. Layer: sealfs, tests only.
#ifndef SEALWAY_SEALFS_TEST_FILES_H_
#define SEALWAY_SEALFS_TEST_FILES_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/io.h"
#include "common/unique_fd.h"
#include "container/head.h"
#include "sealfs/sealed_file.h"

namespace sealway::sealfs {

class TestFolder {
 public:
  TestFolder() {
    const char* base = std::getenv("TMPDIR");
    path_ = std::string(base == nullptr ? "/tmp" : base) + "/sealfs-test-XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline Key32 TestKey(std::uint8_t fill = 7) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(fill);
  return Key32(bytes);
}

// A new empty sealed file at `path`, in state open.
inline void MakeTestFile(const std::string& path, std::uint8_t chunk_log2) {
  SlotFields fields;
  fields.chunk_log2 = chunk_log2;
  fields.label = "internal";
  fields.area = "main";
  fields.file_id = *NewFileId();
  auto secret = NewHeadSecret();
  auto head = MakeHead(fields, *secret, TestKey());
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!PwriteAll(fd.Get(), *head, 0)) std::abort();
}

inline std::shared_ptr<SealedFile> OpenTestFile(const std::string& path, RedoLog* redo = nullptr) {
  auto file =
      SealedFile::Open(UniqueFd(::open(path.c_str(), O_RDWR | O_CLOEXEC)), true, TestKey(), redo);
  EXPECT_TRUE(file) << (file ? "" : file.GetError().detail);
  return file ? *file : nullptr;
}

inline std::vector<std::uint8_t> ReadAll(SealedFile& file) {
  std::vector<std::uint8_t> out(file.PlainSize());
  std::size_t done = 0;
  Fault fault;
  EXPECT_EQ(file.Read(0, out, &done, &fault), 0);
  EXPECT_EQ(done, out.size());
  return out;
}

inline std::vector<std::uint8_t> DiskBytes(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  EXPECT_EQ(::fstat(fd.Get(), &status), 0);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(status.st_size));
  EXPECT_TRUE(PreadUpTo(fd.Get(), bytes, 0));
  return bytes;
}

inline void PutDiskBytes(const std::string& path, std::span<const std::uint8_t> bytes) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  ASSERT_TRUE(PwriteAll(fd.Get(), bytes, 0));
}

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_TEST_FILES_H_
