// Whole reads and writes on descriptors: interrupted and partial calls are carried on.
//
// Layer: native common. Threads: as the system calls below them.
#ifndef SEALWAY_COMMON_IO_H_
#define SEALWAY_COMMON_IO_H_

#include <sys/types.h>

#include <cstdint>
#include <span>

#include "common/result.h"

namespace sealway {

// Reads until `out` is full or the file ends; the number of bytes read. kIo.
[[nodiscard]] Result<std::size_t> PreadUpTo(int fd, std::span<std::uint8_t> out,
                                            std::uint64_t offset);
[[nodiscard]] Result<std::size_t> ReadUpTo(int fd, std::span<std::uint8_t> out);

// Writes all of `bytes` or fails; after a failure any part of them may have been written. kIo.
[[nodiscard]] Status PwriteAll(int fd, std::span<const std::uint8_t> bytes, std::uint64_t offset);
[[nodiscard]] Status WriteAll(int fd, std::span<const std::uint8_t> bytes);

}  // namespace sealway

#endif  // SEALWAY_COMMON_IO_H_
