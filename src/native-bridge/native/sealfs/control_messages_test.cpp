// Control requests: what the schema allows is understood, anything else is refused.
#include "sealfs/control_messages.h"

#include <gtest/gtest.h>

namespace sealway::sealfs {
namespace {

const std::string kKey(64, 'a');

TEST(ControlMessages, UnderstandsEachRequest) {
  const std::vector<std::string> lines = {
      R"({"type":"hello","id":1,"protocol":1,"agentPid":7})",
      R"({"type":"configure","id":1,"folder":{"label":"l","area":"a","keyEpoch":1,"deviceId":"00112233445566778899aabbccddeeff","exclude":["*.tmp"],"preamble":"x","profile":false}})",
      R"({"type":"table","id":1,"table":{"version":"7","labels":[{"name":"l","level":1,"barrier":true,"recordSealedOpens":false}],"applications":[{"id":"w","childrenPlain":false,"anyExecutable":true}],"executables":[{"application":"w","path":"/w","dev":"18446744073709551615","ino":"2","ctimeNs":"3"}],"rows":[{"uid":"*","application":"w","label":"l","area":"*","open":"allow","modify":"deny","ruleIds":["r"]}]}})",
      R"({"type":"keys-add","id":1,"keys":[{"area":"a","label":"l","epoch":4294967295,"key":")" +
          kKey + R"("}]})",
      R"({"type":"keys-withdraw","id":1,"keys":[{"area":"a","label":"l","epoch":1}]})",
      R"({"type":"sessions","id":1,"sessions":[{"id":"s","uid":1000,"application":"w","mountNamespace":"1"}]})",
      R"({"type":"session-add","id":1,"session":{"id":"s","uid":1000,"application":"w","mountNamespace":"4026531840","pid":12}})",
      R"({"type":"session-remove","id":1,"sessionId":"s"})",
      R"({"type":"barrier-release","id":1,"sequence":9})",
      R"({"type":"events-ack","id":1,"upTo":9007199254740991})",
      R"({"type":"seal-pending","id":1})",
      R"({"type":"flush","id":1})",
      R"({"type":"health","id":0})",
      R"({"type":"unmount","id":1,"lazy":true})",
  };
  std::size_t index = 0;
  for (const auto& line : lines) {
    auto request = ParseRequest(line);
    ASSERT_TRUE(request) << line << ": " << request.GetError().detail;
    EXPECT_EQ(request->body.index(), index++) << line;
  }
  EXPECT_EQ(index, std::variant_size_v<RequestBody>);
}

struct Refusal {
  const char* id;
  std::string line;
};

class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, WithoutRepeatingAValue) {
  auto request = ParseRequest(GetParam().line);
  ASSERT_FALSE(request);
  EXPECT_EQ(request.GetError().detail.find("secretvalue"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    ControlMessages, Refused,
    testing::Values(
        Refusal{"empty", ""}, Refusal{"not_json", "{"}, Refusal{"array", "[]"},
        Refusal{"null", "null"}, Refusal{"no_type", R"({"id":1})"},
        Refusal{"no_id", R"({"type":"flush"})"},
        Refusal{"negative_id", R"({"type":"flush","id":-1})"},
        Refusal{"fractional_id", R"({"type":"flush","id":1.5})"},
        Refusal{"huge_id", R"({"type":"flush","id":18446744073709551615})"},
        Refusal{"text_id", R"({"type":"flush","id":"secretvalue"})"},
        Refusal{"unknown_type", R"({"type":"secretvalue","id":1})"},
        Refusal{"unknown_key", R"({"type":"flush","id":1,"x":"secretvalue"})"},
        Refusal{"missing_key", R"({"type":"unmount","id":1})"},
        Refusal{"wrong_type", R"({"type":"unmount","id":1,"lazy":"secretvalue"})"},
        Refusal{"protocol_2", R"({"type":"hello","id":1,"protocol":2,"agentPid":7})"},
        Refusal{
            "short_key",
            R"({"type":"keys-add","id":1,"keys":[{"area":"a","label":"l","epoch":1,"key":"secretvalue"}]})"},
        Refusal{"epoch_zero",
                R"({"type":"keys-withdraw","id":1,"keys":[{"area":"a","label":"l","epoch":0}]})"},
        Refusal{"empty_label",
                R"({"type":"keys-withdraw","id":1,"keys":[{"area":"a","label":"","epoch":1}]})"},
        Refusal{"keys_not_a_list", R"({"type":"keys-withdraw","id":1,"keys":{}})"},
        Refusal{"key_not_an_object", R"({"type":"keys-withdraw","id":1,"keys":["secretvalue"]})"},
        Refusal{
            "namespace_number",
            R"({"type":"session-add","id":1,"session":{"id":"s","uid":1,"application":"w","mountNamespace":1}})"},
        Refusal{
            "namespace_text",
            R"({"type":"session-add","id":1,"session":{"id":"s","uid":1,"application":"w","mountNamespace":"12x"}})"},
        Refusal{
            "uid_minus_one",
            R"({"type":"session-add","id":1,"session":{"id":"s","uid":4294967295,"application":"w","mountNamespace":"1"}})"},
        Refusal{
            "verdict",
            R"({"type":"table","id":1,"table":{"version":"7","labels":[],"applications":[],"executables":[],"rows":[{"uid":"*","application":"w","label":"l","area":"*","open":"maybe","modify":"deny","ruleIds":[]}]}})"},
        Refusal{
            "uid_text",
            R"({"type":"table","id":1,"table":{"version":"7","labels":[],"applications":[],"executables":[],"rows":[{"uid":"root","application":"w","label":"l","area":"*","open":"deny","modify":"deny","ruleIds":[]}]}})"},
        Refusal{"deep", std::string(200'000, '[')},
        Refusal{"deep_value", R"({"type":"flush","id":1,"x":)" + std::string(100'000, '[') +
                                  std::string(100'000, ']') + "}"}),
    [](const auto& test) { return std::string(test.param.id); });

}  // namespace
}  // namespace sealway::sealfs
