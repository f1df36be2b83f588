// Every vector of test/vectors/container: its name, its outcome, why it is there, how it is made.
//
// Layer: test tools. Spec: docs/spec/container-v1.md.
#ifndef SEALWAY_CONTAINER_TOOLS_VECTOR_TABLE_H_
#define SEALWAY_CONTAINER_TOOLS_VECTOR_TABLE_H_

#include <functional>
#include <string>
#include <vector>

#include "container/tools/vector_draft.h"

namespace sealway {

// What a reader must say of the bytes. `expect` is "ok" or a refusal's code.
struct VectorOutcome {
  std::string expect = "ok";
  std::vector<std::string> findings;  // in the order unclean, slot-damaged
  std::string why;
};

struct MadeVector {
  ByteString container;
  ByteString plain;  // with "ok" only
  std::string key_hex;
};

struct VectorCase {
  std::string name;  // the file's name without .vec
  VectorOutcome outcome;
  std::function<MadeVector(const std::string& name)> make;
};

[[nodiscard]] std::vector<VectorCase> AllVectors();

}  // namespace sealway

#endif  // SEALWAY_CONTAINER_TOOLS_VECTOR_TABLE_H_
