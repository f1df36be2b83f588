// Both ends of the protocol are held to test/vectors/sealfs-control; this is the native end.
#include <sys/socket.h>
#include <sys/un.h>

#include <deque>
#include <fstream>
#include <map>
#include <sstream>

#include "common/bytes.h"
#include "sealfs/control_actions.h"
#include "sealfs/test_files.h"

namespace sealway::sealfs {
namespace {

using nlohmann::json;

std::vector<json> Load(const std::string& name) {
  std::ifstream file(std::string(SEALWAY_SOURCE_DIR) + "/test/vectors/sealfs-control/" + name);
  std::vector<json> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(json::parse(line));
  // A suite without inputs must not pass.
  if (rows.size() < 10) throw std::runtime_error("vectors are missing: " + name);
  return rows;
}

std::vector<json> Messages(const char* from, bool events) {
  std::vector<json> messages;
  for (const json& row : Load("transcript.jsonl")) {
    if (row["from"] == from && (row["message"]["type"] == "event") == events) {
      messages.push_back(row["message"]);
    }
  }
  return messages;
}

TEST(Transcript, EveryMessageToSealfsIsTaken) {
  for (const json& message : Messages("agent", false)) {
    const auto request = ParseRequest(message.dump());
    ASSERT_TRUE(request) << message << request.GetError().detail;
    EXPECT_EQ(request->id, message["id"]);
  }
}

TEST(Transcript, EveryRefusedMessageIsRefusedForItsReason) {
  for (const json& row : Load("refused.jsonl")) {
    if (row["from"] != "agent") continue;
    const auto request = ParseRequest(row["message"].dump());
    EXPECT_FALSE(request) << row["id"];
    if (request) continue;
    EXPECT_EQ(request.GetError().detail, row["error"]) << row["id"];
  }
}

// An agent's end of the control socket.
class Agent {
 public:
  explicit Agent(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    struct sockaddr_un address {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    const auto* at = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(fd_.Get(), at, sizeof(address)) != 0) std::abort();
  }
  void Send(const std::string& line) {
    const auto text = line + '\n';
    if (::send(fd_.Get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) std::abort();
  }
  // The next answer; events in between are left out. Null at the end of the stream.
  json Answer() {
    for (;;) {
      for (auto end = in_.find('\n'); end == std::string::npos; end = in_.find('\n')) {
        std::array<char, 4096> bytes;
        const ssize_t got = ::read(fd_.Get(), bytes.data(), bytes.size());
        if (got <= 0) return nullptr;
        in_.append(bytes.data(), static_cast<std::size_t>(got));
      }
      const auto end = in_.find('\n');
      auto message = json::parse(in_.substr(0, end));
      in_.erase(0, end + 1);
      if (message["type"] != "event") return message;
    }
  }

 private:
  UniqueFd fd_;
  std::string in_;
};

// A sealfs without its mount: everything the control socket reaches.
class Control : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_ / "folder");
    ASSERT_TRUE(fs_->backing.Open(folder_ / "folder"));
    ASSERT_TRUE(fs_->spool.Open(folder_ / "spool"));
    ASSERT_TRUE(fs_->redo.Open(folder_ / "redo"));
    fs_->events.Start(&fs_->spool);
    fs_->seals.Start(fs_->backing.RootFd(), [](Inode&, bool) {});
    ControlServer::Hooks hooks;
    hooks.handle = [this](Request& request, std::uint64_t connection) {
      return actions_.Handle(request, connection);
    };
    hooks.connected = [](bool) {};
    hooks.tick = [] {};
    ASSERT_TRUE(server_.Start(folder_ / "control", &fs_->spool, std::move(hooks)));
  }
  void TearDown() override {
    server_.Stop();
    fs_->seals.Stop();
  }

  TestFolder folder_;
  std::unique_ptr<FileSystem> fs_ = std::make_unique<FileSystem>();
  ControlServer server_;
  ControlActions actions_{*fs_, server_, [](bool) { return true; }};
};

// What the machine and not the protocol decides.
void Normalise(json& answer, const json& expected) {
  for (const char* key : {"pid", "folder", "skipped"}) {
    if (answer.contains(key)) {
      ASSERT_EQ(answer[key].type(), expected[key].type()) << key;
      answer[key] = expected[key];
    }
  }
}

TEST_F(Control, AnswersAsInTheTranscript) {
  Agent agent(folder_ / "control");
  std::map<std::int64_t, json> expected;
  for (const json& message : Messages("sealfs", false)) {
    if (!message["id"].is_null()) expected[message["id"]] = message;
  }
  for (const json& message : Messages("agent", false)) {
    const auto& wanted = expected.at(message["id"]);
    if (wanted["type"] == "error" && wanted["code"] == "E_MOUNT_BUSY") fs_->health.open_files = 1;
    agent.Send(message.dump());
    json answer = agent.Answer();
    Normalise(answer, wanted);
    EXPECT_EQ(answer, wanted);
  }
}

TEST_F(Control, RefusesALineAndClosesAsInTheTranscript) {
  Agent agent(folder_ / "control");
  for (int line = 1; line < 20; ++line) {
    agent.Send(R"({"type":"health","id":1})");
    EXPECT_EQ(agent.Answer()["type"], "ok");
  }
  agent.Send(R"({"type":"mount","id":1})");
  EXPECT_EQ(agent.Answer(), Messages("sealfs", false).back());
  EXPECT_EQ(agent.Answer(), nullptr);
}

std::optional<std::string> TextOf(const json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
}

Detail DetailOf(const std::string& name, const json& value) {
  // The names are literals in the product; the transcript outlives the events made from it.
  const char* field = name.c_str();
  if (value.is_null()) return {field, nullptr};
  if (value.is_boolean()) return {field, value.get<bool>()};
  if (value.is_number()) return {field, value.get<std::uint64_t>()};
  return {field, value.get<std::string>()};
}

class Events : public testing::Test {
 protected:
  void Open(std::uint64_t limit = EventSpool::kDefaultLimitBytes) {
    ASSERT_TRUE(spool_.Open(folder_ / "spool", limit));
    writer_.Start(&spool_);
  }
  std::vector<json> Spooled() {
    std::uint64_t last = 0;
    std::istringstream lines(spool_.ReadAfter(0, std::size_t{1} << 30, &last));
    std::vector<json> events;
    for (std::string line; std::getline(lines, line);) events.push_back(json::parse(line));
    return events;
  }
  // The facts that this event of the transcript tells.
  EventFacts FactsOf(const json& event) {
    EventFacts facts;
    facts.op = ops_.emplace_back(event["op"]).c_str();
    facts.caller.uid = event["uid"];
    facts.caller.pid = event["pid"];
    facts.executable = event["executable"];
    if (auto session = TextOf(event["session"])) {
      auto made = std::make_shared<Session>();
      made->id = *session;
      made->application = event["application"];
      facts.caller.session = std::move(made);
    }
    if (!event["file"].is_null()) facts.SetFile(FileOf(event["file"]));
    if (event["outcome"] == "refused") facts.outcome = Outcome::kRefused;
    if (event["outcome"] == "error") facts.outcome = Outcome::kError;
    if (event["errno"] == "EACCES") facts.error = EACCES;
    if (event["errno"] == "EIO") facts.error = EIO;
    if (!event["view"].is_null()) facts.view = ops_.emplace_back(event["view"]).c_str();
    facts.rule_ids = event["ruleIds"].get<std::vector<std::string>>();
    facts.table_version = TextOf(event["tableVersion"]);
    for (const auto& [name, value] : event["details"].items()) {
      facts.details.push_back(DetailOf(ops_.emplace_back(name), value));
    }
    return facts;
  }
  FileFacts FileOf(const json& file) {
    FileFacts facts;
    if (!file["id"].is_null()) {
      facts.id.emplace();
      EXPECT_TRUE(FromHex(file["id"].get<std::string>(), *facts.id));
    }
    facts.path = file["path"];
    if (!file["label"].is_null()) facts.key = ring_.Intern({file["area"], file["label"], 1});
    if (!file["plainSize"].is_null()) facts.plain_size = file["plainSize"].get<std::uint64_t>();
    return facts;
  }

  TestFolder folder_;
  EventSpool spool_;
  EventWriter writer_;
  KeyRing ring_;
  std::deque<std::string> ops_;
};

void TakeClock(json& event, const json& expected) {
  EXPECT_TRUE(event["timeMs"].is_number_unsigned() || event["timeMs"].is_number_integer());
  EXPECT_TRUE(event["monotonicNs"].is_string());
  event["timeMs"] = expected["timeMs"];
  event["monotonicNs"] = expected["monotonicNs"];
}

TEST_F(Events, AreWrittenAsInTheTranscript) {
  Open();
  auto expected = Messages("sealfs", true);
  ASSERT_EQ(expected.back()["op"], "dropped");
  expected.pop_back();
  for (const json& event : expected) writer_.Write(FactsOf(event));
  auto events = Spooled();
  ASSERT_EQ(events.size(), expected.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    TakeClock(events[i], expected[i]);
    EXPECT_EQ(events[i], expected[i]);
  }
}

TEST_F(Events, DroppedIsWrittenAsInTheTranscript) {
  Open(32 * 1024);
  const json expected = Messages("sealfs", true).back();
  const json sample = Messages("sealfs", true).front();
  std::uint64_t last = 0;
  while (const auto sequence = writer_.Write(FactsOf(sample))) last = sequence;
  for (int i = 1; i < expected["details"]["count"]; ++i) writer_.Write(FactsOf(sample));
  spool_.Acknowledge(last);
  writer_.Write(FactsOf(sample));
  json dropped;
  for (const json& event : Spooled()) {
    if (event["op"] == "dropped") dropped = event;
  }
  ASSERT_FALSE(dropped.is_null());
  TakeClock(dropped, expected);
  dropped["sequence"] = expected["sequence"];
  EXPECT_EQ(dropped, expected);
}

}  // namespace
}  // namespace sealway::sealfs
