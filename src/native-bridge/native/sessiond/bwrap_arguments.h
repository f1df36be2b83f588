// From a grant to bubblewrap's options.
//
// Layer: native sessiond. Pure: strings in, strings out. Threads: pure functions.
// Spec: docs/spec/sessiond-v1.md, "Shape of a session".
#ifndef SEALWAY_SESSIOND_BWRAP_ARGUMENTS_H_
#define SEALWAY_SESSIOND_BWRAP_ARGUMENTS_H_

#include <map>
#include <string>
#include <vector>

#include "sessiond/protocol.h"

namespace sealway::sessiond {

// Descriptor numbers as bwrap sees them.
struct BwrapDescriptors {
  int seccomp = -1;
  int info = -1;
  int block = -1;
  int setup = -1;  // read as a file in the last step, then closed: the sign that all is laid
  std::map<std::string, int> sources;  // opened and checked folders, by their path
  std::string dbus_socket;             // the proxy's socket outside; empty: none
};

// Options alone, in the order that bwrap carries them out: later mounts lie over earlier ones. The
// program's own argv is not part of it.
[[nodiscard]] std::vector<std::string> BwrapOptions(const SessionGrant& grant,
                                                    const BwrapDescriptors& descriptors);

// NUL after each, as --args reads them.
[[nodiscard]] std::string JoinWithNul(const std::vector<std::string>& options);

}  // namespace sealway::sessiond

#endif  // SEALWAY_SESSIOND_BWRAP_ARGUMENTS_H_
