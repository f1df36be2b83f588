// Owned descriptors are closed exactly once.
#include "common/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace sealway {
namespace {

bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }
int Open() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

TEST(UniqueFd, ClosesWhenItGoes) {
  const int raw = Open();
  {
    const UniqueFd fd(raw);
    EXPECT_TRUE(fd.Valid());
    EXPECT_TRUE(IsOpen(raw));
  }
  EXPECT_FALSE(IsOpen(raw));
}

TEST(UniqueFd, MovingHandsOver) {
  UniqueFd first(Open());
  const int raw = first.Get();
  UniqueFd second(std::move(first));
  EXPECT_EQ(second.Get(), raw);
  UniqueFd third(Open());
  const int closed = third.Get();
  third = std::move(second);
  EXPECT_EQ(third.Get(), raw);
  EXPECT_FALSE(IsOpen(closed));
  EXPECT_TRUE(IsOpen(raw));
}

TEST(UniqueFd, ReleaseGivesUp) {
  const int raw = Open();
  {
    UniqueFd fd(raw);
    EXPECT_EQ(fd.Release(), raw);
    EXPECT_FALSE(fd.Valid());
  }
  EXPECT_TRUE(IsOpen(raw));
  ::close(raw);
}

}  // namespace
}  // namespace sealway
