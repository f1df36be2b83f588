// SHA-256(seed ‖ name ‖ counter), block after block. Layer: test tools. See fixed_random.h.
#include "container/tools/fixed_random.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "container/random.h"
#include "container/sha256.h"

namespace sealway {
namespace {

struct Sequence {
  std::string name;
  std::uint64_t counter = 0;
};
thread_local Sequence sequence;

}  // namespace

void SeedFixedRandom(std::string_view name) {
  sequence.name = name;
  sequence.counter = 0;
}

bool FillRandom(std::span<std::uint8_t> out) noexcept {
  if (sequence.name.empty()) std::abort();  // nobody asked for a fixed sequence here
  while (!out.empty()) {
    const std::string block =
        "sealway vectors/" + sequence.name + "/" + std::to_string(sequence.counter++);
    const Digest32 digest = Sha256(std::vector<std::uint8_t>(block.begin(), block.end()));
    const std::size_t bytes = std::min(out.size(), digest.size());
    std::copy_n(digest.begin(), bytes, out.begin());
    out = out.subspan(bytes);
  }
  return true;
}

}  // namespace sealway
