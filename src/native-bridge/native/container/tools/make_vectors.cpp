// Writes the test vectors and the fuzz seeds. The same bytes on every run and machine.
//
//   make_vectors VECTORS_DIR [SEEDS_DIR]
//
// Layer: test tools. Format of a .vec file: test/vectors/container/README.md.
// Vectors of a released version are never written again: add rows, change none.
#include <cstdio>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "common/bytes.h"
#include "container/sha256.h"
#include "container/tools/fixed_random.h"
#include "container/tools/vector_table.h"

namespace {

using sealway::ByteString;
using sealway::MadeVector;
using sealway::VectorCase;

MadeVector Make(const VectorCase& row) {
  MadeVector made;
  std::thread([&] {
    sealway::SeedFixedRandom(row.name);
    made = row.make(row.name);
  }).join();
  return made;
}

std::string TextOf(const VectorCase& row, const MadeVector& made) {
  std::string text = "expect: " + row.outcome.expect + "\n";
  for (const auto& finding : row.outcome.findings) text += "finding: " + finding + "\n";
  text += "key: " + made.key_hex + "\n";
  if (row.outcome.expect == "ok") {
    text += "plain-size: " + std::to_string(made.plain.size()) + "\n";
    text += "plain-sha256: " + sealway::ToHex(sealway::Sha256(made.plain)) + "\n";
  }
  return text + "why: " + row.outcome.why + "\nfrom: container version 1, make_vectors\n\n";
}

bool WriteFile(const std::string& path, const std::string& text, const ByteString& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  file.close();
  return !file.fail();
}

// Seeds: what opens and is small (a fuzzer gains nothing from more chunks), and the first of each
// refusal. `seen` collects the refusals met so far.
bool IsSeed(const VectorCase& row, const MadeVector& made, std::set<std::string>& seen) {
  if (row.outcome.expect != "ok") return seen.insert(row.outcome.expect).second;
  return made.container.size() <= 8500;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fputs("usage: make_vectors VECTORS_DIR [SEEDS_DIR]\n", stderr);
    return 2;
  }
  std::size_t total = 0;
  std::set<std::string> seen;
  const auto rows = sealway::AllVectors();
  for (const auto& row : rows) {
    const MadeVector made = Make(row);
    const std::string text = TextOf(row, made);
    bool written = WriteFile(std::string(argv[1]) + "/" + row.name + ".vec", text, made.container);
    if (argc == 3 && IsSeed(row, made, seen)) {
      written = written && WriteFile(std::string(argv[2]) + "/" + row.name, "", made.container);
    }
    if (!written) {
      std::fprintf(stderr, "make_vectors: cannot write %s\n", row.name.c_str());
      return 1;
    }
    total += text.size() + made.container.size();
  }
  std::printf("%zu vectors, %zu bytes\n", rows.size(), total);
  return 0;
}
