// The system calls that a sealed session does without.
//
// Layer: native sessiond. Threads: pure, apart from libseccomp's own allocations.
// Spec: docs/spec/sessiond-v1.md, "System calls".
#ifndef SEALWAY_SESSIOND_SECCOMP_FILTER_H_
#define SEALWAY_SESSIOND_SECCOMP_FILTER_H_

#include <string>

#include "common/result.h"
#include "common/unique_fd.h"

namespace sealway::sessiond {

// The filter as classic BPF, for x86-64, x32 and i386 callers alike. A call of an architecture that
// the filter does not know kills the process.
[[nodiscard]] Result<std::string> BuildSeccompProgram();

// `bytes` in a sealed, unnamed file positioned at its start: what bwrap's --seccomp and --args
// read.
[[nodiscard]] Result<UniqueFd> MemoryFile(const char* name, const std::string& bytes);

}  // namespace sealway::sessiond

#endif  // SEALWAY_SESSIOND_SECCOMP_FILTER_H_
