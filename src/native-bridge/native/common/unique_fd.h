// An owned file descriptor: closed exactly once, when its owner goes.
//
// Layer: native common. Threads: an object belongs to one thread at a time; moving hands it over.
#ifndef SEALWAY_COMMON_UNIQUE_FD_H_
#define SEALWAY_COMMON_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace sealway {

class UniqueFd {
 public:
  UniqueFd() noexcept = default;
  // Takes ownership. A negative number means "none", so the result of open(2) can be passed as is.
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) Reset(other.Release());
    return *this;
  }
  ~UniqueFd() { Reset(); }

  [[nodiscard]] int Get() const noexcept { return fd_; }
  [[nodiscard]] bool Valid() const noexcept { return fd_ >= 0; }
  explicit operator bool() const noexcept { return Valid(); }

  // Gives up ownership: the caller closes.
  [[nodiscard]] int Release() noexcept { return std::exchange(fd_, -1); }

  // Closes what is held and takes `fd`. close(2)'s result is dropped: after EINTR or EIO Linux has
  // released the descriptor all the same, and whoever needs durability calls fsync(2) before.
  void Reset(int fd = -1) noexcept {
    const int old = std::exchange(fd_, fd);
    if (old >= 0) ::close(old);
  }

 private:
  int fd_ = -1;
};

}  // namespace sealway

#endif  // SEALWAY_COMMON_UNIQUE_FD_H_
