// A random source that gives the same bytes on every run: for test vectors and nothing else.
//
// Layer: test tools. Linked in place of random_os.cpp; no shipped program links it.
#ifndef SEALWAY_CONTAINER_TOOLS_FIXED_RANDOM_H_
#define SEALWAY_CONTAINER_TOOLS_FIXED_RANDOM_H_

#include <string_view>

namespace sealway {

// Begins the sequence that belongs to `name`, for the calling thread. Start a new thread for each
// name: the pool of nonces is the thread's, and would carry bytes over.
void SeedFixedRandom(std::string_view name);

}  // namespace sealway

#endif  // SEALWAY_CONTAINER_TOOLS_FIXED_RANDOM_H_
