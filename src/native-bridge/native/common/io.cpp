// Whole reads and writes on descriptors. Layer: native common.
#include "common/io.h"

#include <unistd.h>

#include <cerrno>

namespace sealway {
namespace {

template <class Call>
Result<std::size_t> ReadLoop(std::span<std::uint8_t> out, Call call) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = call(out.subspan(done), done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailErrno(errno, "read failed");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

template <class Call>
Status WriteLoop(std::span<const std::uint8_t> bytes, Call call) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put = call(bytes.subspan(done), done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return FailErrno(errno, "write failed");
    if (put == 0) return FailErrno(EIO, "write made no progress");
    done += static_cast<std::size_t>(put);
  }
  return OkStatus();
}

}  // namespace

Result<std::size_t> PreadUpTo(int fd, std::span<std::uint8_t> out, std::uint64_t offset) {
  return ReadLoop(out, [&](std::span<std::uint8_t> rest, std::size_t done) {
    return ::pread(fd, rest.data(), rest.size(), static_cast<off_t>(offset + done));
  });
}

Result<std::size_t> ReadUpTo(int fd, std::span<std::uint8_t> out) {
  return ReadLoop(out, [&](std::span<std::uint8_t> rest, std::size_t) {
    return ::read(fd, rest.data(), rest.size());
  });
}

Status PwriteAll(int fd, std::span<const std::uint8_t> bytes, std::uint64_t offset) {
  return WriteLoop(bytes, [&](std::span<const std::uint8_t> rest, std::size_t done) {
    return ::pwrite(fd, rest.data(), rest.size(), static_cast<off_t>(offset + done));
  });
}

Status WriteAll(int fd, std::span<const std::uint8_t> bytes) {
  return WriteLoop(bytes, [&](std::span<const std::uint8_t> rest, std::size_t) {
    return ::write(fd, rest.data(), rest.size());
  });
}

}  // namespace sealway
