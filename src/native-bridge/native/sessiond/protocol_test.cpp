// What the parsed messages hold. That wrong ones are refused: transcript_test.cpp.
#include "sessiond/protocol.h"

#include <gtest/gtest.h>

namespace sealway::sessiond {
namespace {

constexpr const char* kGrant =
    R"({"type":"grant","id":7,"session":{"id":"s_1","application":"calc","argv":["/bin/true","x"],)"
    R"("cwd":"/home","environment":{"A":"1","B":""},"binds":[{"mode":"tmpfs","target":"/run"},)"
    R"({"mode":"rw","source":"/d","target":"/d","device":"18446744073709551614"}],)"
    R"("network":true,"processes":9,"dbus":{"address":"unix:path=/x","talk":["a.b"]},)"
    R"("stdio":"pass","seccomp":"default"}})";

TEST(ParseAgentMessage, ReadsAGrant) {
  const auto message = ParseAgentMessage(kGrant);
  ASSERT_TRUE(message.Ok()) << message.GetError().detail;
  const auto& grant = std::get<GrantMessage>(*message);
  EXPECT_EQ(grant.id, 7);
  EXPECT_EQ(grant.session.id, "s_1");
  EXPECT_EQ(grant.session.argv, (std::vector<std::string>{"/bin/true", "x"}));
  EXPECT_EQ(grant.session.environment, (Environment{{"A", "1"}, {"B", ""}}));
  ASSERT_EQ(grant.session.binds.size(), 2U);
  EXPECT_EQ(grant.session.binds[0].mode, BindMode::kTmpfs);
  EXPECT_EQ(grant.session.binds[1].mode, BindMode::kReadWrite);
  EXPECT_EQ(grant.session.binds[1].device, 18446744073709551614ULL);
  EXPECT_TRUE(grant.session.network);
  EXPECT_EQ(grant.session.processes, 9);
  EXPECT_EQ(grant.session.dbus->talk, std::vector<std::string>{"a.b"});
  EXPECT_EQ(grant.session.stdio, Stdio::kPass);
}

TEST(ParseClientMessage, KeepsTheOrderOfArguments) {
  const auto message = ParseClientMessage(
      R"({"type":"start","argv":["b","a",""],"cwd":"/","environment":{},"application":null,)"
      R"("files":["/x"],"detached":true})");
  ASSERT_TRUE(message.Ok());
  const auto& start = std::get<StartMessage>(*message);
  EXPECT_EQ(start.argv, (std::vector<std::string>{"b", "a", ""}));
  EXPECT_FALSE(start.application.has_value());
  EXPECT_FALSE(start.as_user.has_value());
  EXPECT_TRUE(start.detached);
}

TEST(ParseAgentMessage, NamesTheFieldThatIsWrong) {
  const auto message = ParseAgentMessage(R"({"type":"go","session":5})");
  ASSERT_FALSE(message.Ok());
  EXPECT_EQ(message.GetError().detail, "message.session: must be a string");
}

}  // namespace
}  // namespace sealway::sessiond
