// What the requests do. Layer: sealfs.
#include "sealfs/control_actions.h"

#include <unistd.h>

#include <utility>

#include "sealfs/recovery.h"

namespace sealway::sealfs {
namespace {

using Answer = ControlServer::Answer;

Answer Done() { return Answer::object(); }

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

Answer Percentiles(const Histogram& histogram) {
  return {{"p50", histogram.PercentileUs(0.50)}, {"p99", histogram.PercentileUs(0.99)}};
}

}  // namespace

ControlActions::ControlActions(FileSystem& fs, ControlServer& server,
                               std::function<bool(bool)> leave)
    : fs_(fs), server_(server), leave_(std::move(leave)) {}

ControlActions::~ControlActions() {
  if (worker_.joinable()) worker_.join();
}

void ControlActions::Work(std::function<void()> job) {
  worker_ = std::thread(
      [before = std::make_shared<std::thread>(std::move(worker_)), job = std::move(job)] {
        if (before->joinable()) before->join();
        job();
      });
}

std::optional<Answer> ControlActions::Handle(Request& request, std::uint64_t connection) {
  using Maybe = std::optional<Answer>;
  return std::visit(
      Overloaded{
          [&](HelloRequest&) -> Maybe { return Hello(); },
          [&](ConfigureRequest& r) -> Maybe {
            fs_.folder.store(std::make_shared<const FolderConfiguration>(std::move(r.folder)));
            return Done();
          },
          [&](TableRequest& r) -> Maybe {
            fs_.table.store(std::move(r.table));
            return Done();
          },
          [&](KeysAddRequest& r) -> Maybe {
            for (const auto& key : r.keys) fs_.keys.Add(key.name, key.key);
            // Files that a crash left open can be sealed now that there are keys.
            if (!fs_.redo.Dirty().empty()) Work([this] { SealLeftOpen(fs_); });
            return Done();
          },
          [&](KeysWithdrawRequest& r) -> Maybe { return Withdraw(r); },
          [&](SessionsRequest& r) -> Maybe {
            std::erase_if(r.sessions, [](Session& session) { return !HoldNamespace(session); });
            fs_.sessions.Replace(std::move(r.sessions));
            return Done();
          },
          [&](SessionAddRequest& r) -> Maybe {
            if (!HoldNamespace(r.session)) {
              return Answer{{"code", "E_SESSION_UNKNOWN"}, {"detail", "the session has ended"}};
            }
            fs_.sessions.Add(std::move(r.session));
            return Done();
          },
          [&](SessionRemoveRequest& r) -> Maybe {
            if (fs_.sessions.Remove(r.session_id)) return Done();
            return Answer{{"code", "E_SESSION_UNKNOWN"}, {"detail", "no such session"}};
          },
          [&](BarrierReleaseRequest& r) -> Maybe {
            fs_.barrier.Release(r.sequence);
            return Done();
          },
          [&](EventsAckRequest& r) -> Maybe {
            fs_.spool.Acknowledge(r.up_to);
            return Done();
          },
          [&](SealPendingRequest&) -> Maybe {
            SealPending(connection, request.id);
            return std::nullopt;
          },
          [&](FlushRequest&) -> Maybe {
            Work([this, connection, id = request.id] {
              fs_.seals.Flush();
              server_.Later(connection, id, Done());
            });
            return std::nullopt;
          },
          [&](HealthRequest&) -> Maybe { return Health(); },
          [&](UnmountRequest& r) -> Maybe {
            Work([this, connection, id = request.id, lazy = r.lazy] {
              fs_.seals.Flush();
              if (!lazy && fs_.health.open_files != 0) {
                server_.Later(connection, id,
                              {{"code", "E_MOUNT_BUSY"}, {"detail", "files are open"}});
                return;
              }
              server_.Later(connection, id, Done());
              ::usleep(50'000);  // lets the answer out
              (void)leave_(lazy);
            });
            return std::nullopt;
          },
      },
      request.body);
}

Answer ControlActions::Hello() {
  const auto counts = fs_.spool.Count();
  return {{"protocol", kControlProtocol}, {"pid", ::getpid()},
          {"folder", fs_.backing.Path()}, {"mounted", true},
          {"spooledFrom", counts.first},  {"spooledTo", counts.last}};
}

Answer ControlActions::Withdraw(const KeysWithdrawRequest& request) {
  for (const auto& key : request.keys) {
    const std::size_t files = EndPlainViews(fs_, key);
    EventFacts facts;
    facts.op = "key-withdrawn";
    facts.details.emplace_back("area", key.area);
    facts.details.emplace_back("label", key.label);
    facts.details.emplace_back("epoch", std::uint64_t{key.epoch});
    facts.details.emplace_back("files", std::uint64_t{files});
    fs_.events.Write(facts);
  }
  return Done();
}

std::size_t EndPlainViews(FileSystem& fs, const KeyName& key) {
  // No new opens from here on.
  (void)fs.keys.Withdraw(key);
  const KeyName* name = fs.keys.Intern(key);
  auto pins = fs.inodes.Collect(
      [&](const Inode& inode) { return inode.kind == Kind::kSealed && inode.head.key == name; });
  std::size_t files = 0;
  for (auto& pin : pins) {
    std::shared_ptr<SealedFile> file;
    {
      const std::lock_guard lock(pin->mutex);
      file = pin->file;
    }
    if (file) file->StopReading();
    // The kernel writes dirty pages back (the key is still in the file's state), then drops all.
    std::vector<std::uint64_t> nodes;
    fs.inodes.ForNodes(pin.Get(), [&](Node& node) {
      if (node.view == View::kPlain || node.view == View::kIngest) {
        nodes.push_back(reinterpret_cast<std::uint64_t>(&node));
      }
    });
    for (const auto node : nodes) fs.notifier.InvalidatePagesNow(node);
    if (!file) continue;
    ++files;
    (void)file->Sync(true);
    (void)file->Seal(file->Changes());
    fs.ContainerChanged(*pin.Get());
    file->Revoke();
    const std::lock_guard lock(pin->mutex);
    pin->file.reset();
    pin->ingest.reset();
  }
  return files;
}

Answer ControlActions::Health() {
  const auto counts = fs_.spool.Count();
  const auto& health = fs_.health;
  return {{"requests", health.requests.load()},
          {"queue", health.in_flight.load()},
          {"eventsSpooled", counts.Waiting()},
          {"eventsDropped", counts.dropped},
          {"openFiles", health.open_files.load()},
          {"nodes", fs_.inodes.NodeCount()},
          {"latencyUs",
           {{"lookup", Percentiles(health.lookup)},
            {"open", Percentiles(health.open)},
            {"read", Percentiles(health.read)},
            {"write", Percentiles(health.write)}}},
          {"verdicts",
           {{"plain", health.plain.load()},
            {"sealed", health.sealed.load()},
            {"refused", health.refused.load()}}}};
}

void ControlActions::SealPending(std::uint64_t connection, std::int64_t id) {
  Work([this, connection, id] { server_.Later(connection, id, SealPendingFiles(fs_)); });
}

}  // namespace sealway::sealfs
