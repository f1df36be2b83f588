// Which texts a head may hold.
#include "container/text.h"

#include <gtest/gtest.h>

#include <string>

namespace sealway {
namespace {

using namespace std::string_literals;

class CleanText : public testing::TestWithParam<std::string> {};
TEST_P(CleanText, IsAccepted) { EXPECT_TRUE(IsCleanText(GetParam())); }
INSTANTIATE_TEST_SUITE_P(Texts, CleanText,
                         testing::Values("", "confidential", "two words", "\xC2\xA0", "\xDF\xBF",
                                         "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                                         "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"));

class UncleanText : public testing::TestWithParam<std::string> {};
TEST_P(UncleanText, IsRefused) { EXPECT_FALSE(IsCleanText(GetParam())); }
INSTANTIATE_TEST_SUITE_P(Texts, UncleanText,
                         testing::Values("\0"s, "\x1F", "a\nb", "\x7F", "\xC2\x80", "\xC2\x9F",
                                         "\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF",
                                         "\xF0\x8F\xBF\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
                                         "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFF", "\xC3",
                                         "\xE7\xA7", "\xF0\x9F\x94", "\xC3(", "\xE7(\x98"));

TEST(CleanText, CountsNewlines) {
  EXPECT_TRUE(IsCleanText("one\n", 1));
  EXPECT_FALSE(IsCleanText("one\ntwo\n", 1));
  EXPECT_FALSE(IsCleanText("one\r", 1));
}

}  // namespace
}  // namespace sealway
