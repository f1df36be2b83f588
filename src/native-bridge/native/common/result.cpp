// Names and errnos of the failure codes. Layer: native common. Threads: pure functions.
// The table mirrors src/core/errors (container-errors.ts, platform-errors.ts).
#include "common/result.h"

#include <cerrno>

namespace sealway {

std::string_view Name(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kContainerShort:
      return "E_CONTAINER_SHORT";
    case ErrorCode::kContainerMagic:
      return "E_CONTAINER_MAGIC";
    case ErrorCode::kContainerVersion:
      return "E_CONTAINER_VERSION";
    case ErrorCode::kContainerSuite:
      return "E_CONTAINER_SUITE";
    case ErrorCode::kContainerHeader:
      return "E_CONTAINER_HEADER";
    case ErrorCode::kContainerKey:
      return "E_CONTAINER_KEY";
    case ErrorCode::kContainerChunk:
      return "E_CONTAINER_CHUNK";
    case ErrorCode::kContainerTruncated:
      return "E_CONTAINER_TRUNCATED";
    case ErrorCode::kContainerSeal:
      return "E_CONTAINER_SEAL";
    case ErrorCode::kIo:
      return "E_IO";
    case ErrorCode::kCrypto:
      return "E_IO";  // to people a failing device; `detail` says which
    case ErrorCode::kInvalid:
      return "E_USAGE";
  }
  return "E_IO";
}

int ToErrno(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kContainerMagic:
    case ErrorCode::kInvalid:
      return EINVAL;
    case ErrorCode::kContainerVersion:
    case ErrorCode::kContainerSuite:
      return EPROTO;
    case ErrorCode::kContainerKey:
      return ENOKEY;
    case ErrorCode::kContainerShort:
    case ErrorCode::kContainerHeader:
    case ErrorCode::kContainerChunk:
    case ErrorCode::kContainerTruncated:
    case ErrorCode::kContainerSeal:
    case ErrorCode::kIo:
    case ErrorCode::kCrypto:
      return EIO;
  }
  return EIO;
}

}  // namespace sealway
