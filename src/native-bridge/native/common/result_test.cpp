// Results and the failure codes' names and errnos.
#include "common/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

namespace sealway {
namespace {

TEST(Result, HoldsAValueOrAnError) {
  const Result<int> good(7);
  ASSERT_TRUE(good.Ok());
  EXPECT_EQ(*good, 7);
  const Result<int> bad(Fail(ErrorCode::kContainerChunk, "chunk 3"));
  ASSERT_FALSE(bad.Ok());
  EXPECT_EQ(bad.Code(), ErrorCode::kContainerChunk);
  EXPECT_EQ(bad.GetError().detail, "chunk 3");
}

TEST(Result, GivesUpWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(5));
  const std::unique_ptr<int> out = *std::move(result);
  EXPECT_EQ(*out, 5);
}

TEST(ResultDeathTest, AskingForTheValueOfAFailureEndsTheProcess) {
  EXPECT_DEATH(
      {
        const Result<int> bad(Fail(ErrorCode::kIo, ""));
        static_cast<void>(bad.Value());
      },
      "");
}

struct CodeRow {
  ErrorCode code;
  const char* name;
  int sys_errno;
};
class ErrorCodes : public testing::TestWithParam<CodeRow> {};

TEST_P(ErrorCodes, HaveANameAndAnErrno) {
  EXPECT_EQ(Name(GetParam().code), GetParam().name);
  EXPECT_EQ(ToErrno(GetParam().code), GetParam().sys_errno);
}
INSTANTIATE_TEST_SUITE_P(
    Catalogue, ErrorCodes,
    testing::Values(CodeRow{ErrorCode::kContainerShort, "E_CONTAINER_SHORT", EIO},
                    CodeRow{ErrorCode::kContainerMagic, "E_CONTAINER_MAGIC", EINVAL},
                    CodeRow{ErrorCode::kContainerVersion, "E_CONTAINER_VERSION", EPROTO},
                    CodeRow{ErrorCode::kContainerSuite, "E_CONTAINER_SUITE", EPROTO},
                    CodeRow{ErrorCode::kContainerHeader, "E_CONTAINER_HEADER", EIO},
                    CodeRow{ErrorCode::kContainerKey, "E_CONTAINER_KEY", ENOKEY},
                    CodeRow{ErrorCode::kContainerChunk, "E_CONTAINER_CHUNK", EIO},
                    CodeRow{ErrorCode::kContainerTruncated, "E_CONTAINER_TRUNCATED", EIO},
                    CodeRow{ErrorCode::kContainerSeal, "E_CONTAINER_SEAL", EIO},
                    CodeRow{ErrorCode::kIo, "E_IO", EIO},
                    CodeRow{ErrorCode::kInvalid, "E_USAGE", EINVAL}));

}  // namespace
}  // namespace sealway
