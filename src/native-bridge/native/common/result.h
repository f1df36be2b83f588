// The outcome of an operation that is expected to fail sometimes, and the codes it fails with.
//
// Layer: native common. Threads: values; share them as you would an int.
// Spec: docs/spec/container-v1.md, section 8. The names are those of the TypeScript catalogue:
//   code branches on `code` alone, `detail` is for the local log and never holds plaintext, key
//   material or a whole path.
#ifndef SEALWAY_COMMON_RESULT_H_
#define SEALWAY_COMMON_RESULT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace sealway {

enum class ErrorCode : std::uint8_t {
  kContainerShort,
  kContainerMagic,
  kContainerVersion,
  kContainerSuite,
  kContainerHeader,
  kContainerKey,
  kContainerChunk,
  kContainerTruncated,
  kContainerSeal,
  kIo,       // a system call failed; Error::sys_errno tells which way
  kCrypto,   // the crypto library or the random source failed; never an authentication failure
  kInvalid,  // the caller passed something that can never work
};

// "E_CONTAINER_CHUNK" and so on. Static storage.
[[nodiscard]] std::string_view Name(ErrorCode code) noexcept;

// The positive errno a file system answers with. For kIo use Error::ToErrno(), which knows more.
[[nodiscard]] int ToErrno(ErrorCode code) noexcept;

struct Error {
  ErrorCode code = ErrorCode::kInvalid;
  std::string detail;
  int sys_errno = 0;  // only with kIo

  [[nodiscard]] int ToErrno() const noexcept {
    return code == ErrorCode::kIo && sys_errno != 0 ? sys_errno : sealway::ToErrno(code);
  }
};

[[nodiscard]] inline Error Fail(ErrorCode code, std::string detail) {
  return Error{code, std::move(detail), 0};
}
// For a failed system call: pass errno before anything else can change it.
[[nodiscard]] inline Error FailErrno(int sys_errno, std::string detail) {
  return Error{ErrorCode::kIo, std::move(detail), sys_errno};
}

// Holds a T or an Error. Asking for the one that is not there is a bug and ends the process
// (std::get throws inside noexcept).
template <class T>
class [[nodiscard]] Result {
 public:
  // Implicit on purpose: `return value;` and `return Fail(...)` both read as they should.
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  [[nodiscard]] bool Ok() const noexcept { return held_.index() == 0; }
  explicit operator bool() const noexcept { return Ok(); }

  [[nodiscard]] T& Value() & noexcept { return std::get<0>(held_); }
  [[nodiscard]] const T& Value() const& noexcept { return std::get<0>(held_); }
  [[nodiscard]] T&& Value() && noexcept { return std::get<0>(std::move(held_)); }
  [[nodiscard]] const Error& GetError() const noexcept { return std::get<1>(held_); }
  [[nodiscard]] ErrorCode Code() const noexcept { return GetError().code; }

  T& operator*() & noexcept { return Value(); }
  const T& operator*() const& noexcept { return Value(); }
  T&& operator*() && noexcept { return std::move(*this).Value(); }
  T* operator->() noexcept { return &Value(); }
  const T* operator->() const noexcept { return &Value(); }

 private:
  std::variant<T, Error> held_;
};

// The outcome of an operation that has nothing to give back.
using Status = Result<std::monostate>;
[[nodiscard]] inline Status OkStatus() { return Status(std::monostate{}); }

}  // namespace sealway

#endif  // SEALWAY_COMMON_RESULT_H_
