// JSON lines: borders between messages, bounds, strict fields.
#include "common/json_lines.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "common/unique_fd.h"

namespace sealway {
namespace {

using State = LineReader::State;

TEST(LineReader, CutsAtNewlinesHoweverTheBytesArrive) {
  const std::string stream = "one\ntwo\n\nfour\n";
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    LineReader reader(8);
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      reader.Append(std::string_view(stream).substr(at, step));
      for (std::string line; reader.Next(&line) == State::kLine;) lines.push_back(line);
    }
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "", "four"})) << "step " << step;
    EXPECT_EQ(reader.PendingBytes(), 0U);
  }
}

TEST(LineReader, RefusesALineBeforeItIsComplete) {
  std::string line;
  LineReader reader(4);
  reader.Append("1234");
  EXPECT_EQ(reader.Next(&line), State::kNeedMore);
  reader.Append("5");
  EXPECT_EQ(reader.Next(&line), State::kTooLong);
}

TEST(LineReader, RefusesAWholeLineThatIsTooLong) {
  std::string line;
  LineReader reader(4);
  reader.Append("12345\n");
  EXPECT_EQ(reader.Next(&line), State::kTooLong);
}

TEST(LineReader, ForgetsWhatItReturned) {
  LineReader reader(8);
  std::string line;
  for (int i = 0; i < 1000; ++i) {
    reader.Append("1234567\n12");
    ASSERT_EQ(reader.Next(&line), State::kLine);
    reader.Append("34567\n");
    ASSERT_EQ(reader.Next(&line), State::kLine);
    ASSERT_EQ(reader.PendingBytes(), 0U);
  }
}

TEST(LineWriter, HoldsBackAtItsBoundAndSendsTheRestLater) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
  const UniqueFd ours(pair[0]);
  const UniqueFd theirs(pair[1]);
  LineWriter writer(1024 * 1024);
  const nlohmann::json message = {{"text", std::string(1000, 'x')}};
  std::size_t pushed = 0;
  while (writer.Push(message)) ++pushed;
  EXPECT_GT(pushed, 900U);
  EXPECT_EQ(writer.Flush(ours.Get()), LineWriter::State::kBlocked);
  LineReader reader(2048);
  std::size_t lines = 0;
  for (std::array<char, 65536> bytes; lines < pushed;) {
    const ssize_t got = ::recv(theirs.Get(), bytes.data(), bytes.size(), 0);
    if (got > 0) reader.Append({bytes.data(), static_cast<std::size_t>(got)});
    for (std::string line; reader.Next(&line) == State::kLine;) ++lines;
    (void)writer.Flush(ours.Get());
  }
  EXPECT_TRUE(writer.Empty());
}

TEST(LineWriter, TellsWhenThePeerIsGone) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  const UniqueFd ours(pair[0]);
  ::close(pair[1]);
  LineWriter writer(100);
  ASSERT_TRUE(writer.Push({{"a", 1}}));
  EXPECT_EQ(writer.Flush(ours.Get()), LineWriter::State::kClosed);
}

class RefusedLine : public ::testing::TestWithParam<const char*> {};

TEST_P(RefusedLine, IsNoMessage) { EXPECT_FALSE(ParseJsonObject(GetParam()).Ok()); }

INSTANTIATE_TEST_SUITE_P(Lines, RefusedLine,
                         ::testing::Values("", "{", "[]", "1", "null", "{} {}", "{\"a\":}",
                                           "{\"a\":\"\xff\"}", "{'a':1}"));

TEST(ParseJsonObject, RefusesDeepNesting) {
  const std::string deep = "{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}";
  EXPECT_FALSE(ParseJsonObject(deep).Ok());
  EXPECT_TRUE(ParseJsonObject(R"({"a":"[[[[[[[[[[[[[[[[[[[[[[[["})").Ok());
}

struct FieldCase {
  const char* id;
  const char* text;
  const char* want;  // the fault; empty: none
};

class Fields : public ::testing::TestWithParam<FieldCase> {};

TEST_P(Fields, AreChecked) {
  const auto parsed = ParseJsonObject(GetParam().text);
  ASSERT_TRUE(parsed.Ok());
  ObjectReader fields(*parsed, "m");
  (void)fields.String("s", 4);
  (void)fields.Integer("n", -1, 10);
  (void)fields.Bool("b");
  (void)fields.Strings("l", 2, 2);
  const auto status = fields.Finish();
  EXPECT_EQ(status.Ok() ? "" : status.GetError().detail, GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Fields,
    ::testing::Values(
        FieldCase{"fine", R"({"s":"abcd","n":10,"b":true,"l":["a","b"]})", ""},
        FieldCase{"missing", R"({"n":10,"b":true,"l":[]})", "m.s: is missing"},
        FieldCase{"long", R"({"s":"abcde","n":1,"b":true,"l":[]})", "m.s: is longer than 4 bytes"},
        FieldCase{"nul", R"({"s":"a\u0000","n":1,"b":true,"l":[]})", "m.s: holds a NUL character"},
        FieldCase{"float", R"({"s":"","n":1.5,"b":true,"l":[]})",
                  "m.n: must be a whole number from -1 to 10"},
        FieldCase{"wraps", R"({"s":"","n":18446744073709551615,"b":true,"l":[]})",
                  "m.n: must be a whole number from -1 to 10"},
        FieldCase{"bool", R"({"s":"","n":1,"b":1,"l":[]})", "m.b: must be true or false"},
        FieldCase{"many", R"({"s":"","n":1,"b":true,"l":["a","b","c"]})",
                  "m.l: must be an array of at most 2 strings"},
        FieldCase{"unknown", R"({"s":"","n":1,"b":true,"l":[],"x":1})", "m.x: is not a known key"}),
    [](const auto& row) { return std::string(row.param.id); });

}  // namespace
}  // namespace sealway
