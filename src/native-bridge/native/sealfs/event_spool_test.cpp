// The event spool: nothing is lost, nothing comes twice under another number, overflow is told.
#include "sealfs/event_spool.h"

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "sealfs/test_files.h"

namespace sealway::sealfs {
namespace {

using nlohmann::json;

std::uint64_t Put(EventSpool& spool, const std::string& text = "x") {
  json event = {{"type", "event"}, {"op", "open"}, {"text", text}};
  return spool.Append(event);
}

std::vector<json> Take(EventSpool& spool, std::uint64_t after = 0) {
  std::uint64_t last = 0;
  std::istringstream lines(spool.ReadAfter(after, std::size_t{1} << 30, &last));
  std::vector<json> events;
  for (std::string line; std::getline(lines, line);) events.push_back(json::parse(line));
  return events;
}

class Spool : public testing::Test {
 protected:
  void Reopen(std::uint64_t limit = EventSpool::kDefaultLimitBytes) {
    spool = std::make_unique<EventSpool>();
    ASSERT_TRUE(spool->Open(path, limit));
  }
  TestFolder folder;
  std::string path = folder / "spool";
  std::unique_ptr<EventSpool> spool;
};

TEST_F(Spool, SequenceGoesOnAcrossRestarts) {
  Reopen();
  EXPECT_EQ(Put(*spool), 1U);
  EXPECT_EQ(Put(*spool), 2U);
  Reopen();
  EXPECT_EQ(Put(*spool), 3U);
  const auto events = Take(*spool);
  ASSERT_EQ(events.size(), 3U);
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i]["sequence"], i + 1);
}

TEST_F(Spool, SequenceGoesOnAfterEverythingWasAcknowledged) {
  Reopen();
  for (int i = 0; i < 400; ++i) Put(*spool, std::string(1000, 'x'));
  spool->Acknowledge(400);
  EXPECT_TRUE(Take(*spool).empty());
  EXPECT_LT(std::filesystem::file_size(path), 1000U);
  Reopen();
  EXPECT_EQ(Put(*spool), 401U);
}

TEST_F(Spool, AReconnectGetsAllThatIsNotAcknowledged) {
  Reopen();
  for (int i = 0; i < 10; ++i) Put(*spool);
  spool->Acknowledge(4);
  const auto events = Take(*spool);
  ASSERT_EQ(events.size(), 6U);
  EXPECT_EQ(events.front()["sequence"], 5);
  EXPECT_EQ(spool->Count().Waiting(), 6U);
}

TEST_F(Spool, AnAgentThatKnowsMoreMovesTheSequenceOn) {
  Reopen();
  Put(*spool);
  spool->Acknowledge(50);
  EXPECT_EQ(Put(*spool), 51U);
}

TEST_F(Spool, ACutAtAnyByteLosesOnlyTheLastLine) {
  Reopen();
  Put(*spool, "one");
  Put(*spool, "two");
  const auto bytes = DiskBytes(path);
  const auto header =
      static_cast<std::size_t>(std::find(bytes.begin(), bytes.end(), '\n') - bytes.begin()) + 1;
  for (std::size_t cut = header; cut < bytes.size(); ++cut) {
    PutDiskBytes(path, std::span(bytes).first(cut));
    Reopen();
    const auto events = Take(*spool);
    ASSERT_LE(events.size(), 1U) << cut;
    ASSERT_EQ(Put(*spool), events.size() + 1) << cut;
  }
}

TEST_F(Spool, OverflowIsCountedAndTold) {
  Reopen(40'000);
  std::uint64_t dropped = 0;
  for (int i = 0; i < 100; ++i) dropped += Put(*spool, std::string(1000, 'x')) == 0 ? 1 : 0;
  EXPECT_GT(dropped, 50U);
  EXPECT_EQ(spool->Count().dropped, dropped);
  spool->Acknowledge(spool->Count().last);
  Put(*spool);
  const auto events = Take(*spool);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0]["op"], "dropped");
  EXPECT_EQ(events[0]["details"]["count"], dropped);
}

}  // namespace
}  // namespace sealway::sealfs
