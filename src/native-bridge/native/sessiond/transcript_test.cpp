// Both ends of the protocol are held to test/vectors/sessiond; this is the native end.
#include <gtest/gtest.h>

#include <fstream>

#include "sessiond/protocol.h"

namespace sealway::sessiond {
namespace {

using nlohmann::json;

std::vector<json> Load(const std::string& name) {
  std::ifstream file(std::string(SEALWAY_SOURCE_DIR) + "/test/vectors/sessiond/" + name);
  std::vector<json> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(json::parse(line));
  // A suite without inputs must not pass.
  if (rows.size() < 10) throw std::runtime_error("vectors are missing: " + name);
  return rows;
}

Status Parse(const json& row) {
  const std::string line = row["message"].dump();
  if (row["from"] == "client") {
    const auto message = ParseClientMessage(line);
    return message ? OkStatus() : Status(message.GetError());
  }
  const auto message = ParseAgentMessage(line);
  return message ? OkStatus() : Status(message.GetError());
}

TEST(Transcript, EveryMessageToSessiondIsTaken) {
  for (const json& row : Load("transcript.jsonl")) {
    if (row["to"] != "sessiond") continue;
    const auto status = Parse(row);
    EXPECT_TRUE(status.Ok()) << row << (status ? "" : status.GetError().detail);
  }
}

TEST(Transcript, EveryRefusedMessageIsRefused) {
  for (const json& row : Load("refused.jsonl")) {
    EXPECT_FALSE(Parse(row).Ok()) << row["id"];
  }
}

StartMessage FirstStart() {
  for (const json& row : Load("transcript.jsonl")) {
    if (row["from"] != "client") continue;
    auto message = ParseClientMessage(row["message"].dump());
    return std::get<StartMessage>(*message);
  }
  return {};
}

// What sessiond writes, in the order of the transcript.
std::vector<json> Written() {
  Ending exited;
  exited.status = 143;
  Ending killed;
  killed.signal = 9;
  Ending late;
  late.error_code = "E_SESSION_TIMEOUT";
  late.error_message = "the session was not ready within ten seconds";
  const Peer peer{1001, 1001, 4711, {}};
  return {ReadyJson(false, {}),
          RequestJson(1, peer, FirstStart()),
          CreatedJson(1, "s-1", 4720, 4026532180),
          StartedJson("s-1"),
          RefusedJson("E_SESSION_REFUSED", "/usr/bin/python3 is not in the list of applications.",
                      {"applications"}),
          RemountedJson("s-1", "/home/li/Documents", OkStatus()),
          ExitJson(exited),
          ExitJson(killed),
          EndedJson("s-1", exited),
          EndedJson("s-2", late)};
}

TEST(Transcript, SessiondWritesItsLines) {
  std::vector<json> expected;
  for (const json& row : Load("transcript.jsonl")) {
    if (row["from"] == "sessiond") expected.push_back(row["message"]);
  }
  EXPECT_EQ(Written(), expected);
}

}  // namespace
}  // namespace sealway::sessiond
