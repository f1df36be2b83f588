// Every vector of test/vectors/container, opened as a whole.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "common/bytes.h"
#include "common/io.h"
#include "common/unique_fd.h"
#include "container/sha256.h"
#include "container/whole_file.h"

namespace sealway {
namespace {

namespace fs = std::filesystem;

struct Vector {
  std::string name;
  std::multimap<std::string, std::string> lines;
  std::vector<std::uint8_t> container;

  std::string Line(const std::string& key) const {
    const auto at = lines.find(key);
    return at == lines.end() ? "" : at->second;
  }
  bool Finds(const std::string& finding) const {
    const auto [first, last] = lines.equal_range("finding");
    return std::any_of(first, last, [&](const auto& line) { return line.second == finding; });
  }
};

void PrintTo(const Vector& vector, std::ostream* out) { *out << vector.name; }

Vector Parse(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  Vector vector;
  vector.name = path.stem();
  for (std::string line; std::getline(file, line) && !line.empty();) {
    const auto colon = line.find(": ");
    if (colon == std::string::npos) throw std::runtime_error("bad line in " + path.string());
    vector.lines.emplace(line.substr(0, colon), line.substr(colon + 2));
  }
  vector.container.assign(std::istreambuf_iterator<char>(file), {});
  return vector;
}

// Throws when there is none: a suite without inputs must not pass.
std::vector<Vector> LoadVectors() {
  std::vector<Vector> vectors;
  const fs::path folder = fs::path(SEALWAY_SOURCE_DIR) / "test/vectors/container";
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".vec") vectors.push_back(Parse(entry.path()));
  }
  if (vectors.empty()) throw std::runtime_error("no *.vec files in " + folder.string());
  return vectors;
}

std::vector<std::uint8_t> ReadAll(int fd) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(::lseek(fd, 0, SEEK_END)));
  EXPECT_TRUE(PreadUpTo(fd, bytes, 0).Ok());
  return bytes;
}

class ContainerVector : public testing::TestWithParam<Vector> {};

TEST_P(ContainerVector, IsOpenedOrRefused) {
  const Vector& vector = GetParam();
  const UniqueFd in(::memfd_create("in", MFD_CLOEXEC)), out(::memfd_create("out", MFD_CLOEXEC));
  ASSERT_TRUE(PwriteAll(in.Get(), vector.container, 0).Ok());
  Key32 key;
  ASSERT_TRUE(FromHex(vector.Line("key"), key.Mutable()));

  const auto opened = OpenFile(in.Get(), out.Get(), key);
  if (vector.Line("expect") != "ok") {
    ASSERT_FALSE(opened.Ok());
    EXPECT_EQ(Name(opened.Code()), vector.Line("expect")) << opened.GetError().detail;
    return;
  }
  ASSERT_TRUE(opened.Ok()) << Name(opened.Code()) << ": " << opened.GetError().detail;
  EXPECT_EQ(opened->unclean, vector.Finds("unclean"));
  EXPECT_EQ(opened->slot_damaged, vector.Finds("slot-damaged"));
  EXPECT_EQ(std::to_string(opened->plain_size), vector.Line("plain-size"));
  EXPECT_EQ(ToHex(Sha256(ReadAll(out.Get()))), vector.Line("plain-sha256"));
}

std::string TestName(const testing::TestParamInfo<Vector>& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Vectors, ContainerVector, testing::ValuesIn(LoadVectors()), TestName);

// The code under test and the vectors must not shrink together.
TEST(ContainerVectors, HoldEveryOutcome) {
  std::map<std::string, int> outcomes;
  for (const auto& vector : LoadVectors()) ++outcomes[vector.Line("expect")];
  for (const char* outcome : {"ok", "E_CONTAINER_SHORT", "E_CONTAINER_MAGIC", "E_CONTAINER_VERSION",
                              "E_CONTAINER_SUITE", "E_CONTAINER_HEADER", "E_CONTAINER_KEY",
                              "E_CONTAINER_CHUNK", "E_CONTAINER_TRUNCATED", "E_CONTAINER_SEAL"}) {
    EXPECT_GT(outcomes[outcome], 0) << outcome;
  }
}

}  // namespace
}  // namespace sealway
