// The control socket: one agent at a time, lines in, answers and events out.
//
// Layer: sealfs. Threads: its own; it also fires the timers of barriers and collected events.
// Spec: docs/spec/sealfs-control-v1.md; docs/adr/0011-control-over-a-listening-socket.md.
// Not here: what a request does (control_actions.cpp).
#ifndef SEALWAY_SEALFS_CONTROL_SERVER_H_
#define SEALWAY_SEALFS_CONTROL_SERVER_H_

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

#include "common/result.h"
#include "common/unique_fd.h"
#include "sealfs/control_messages.h"
#include "sealfs/event_spool.h"

namespace sealway::sealfs {

class ControlServer {
 public:
  // An answer without its `id`; an object with "code" and "detail" is an error.
  using Answer = nlohmann::json;
  struct Hooks {
    // On the control thread. Nothing returned: the answer comes later by Later().
    std::function<std::optional<Answer>(Request&, std::uint64_t connection)> handle;
    std::function<void(bool connected)> connected;
    std::function<void()> tick;  // several times a second
  };

  ControlServer() = default;
  ~ControlServer() { Stop(); }

  // Listens at `path` (mode 0600; an old socket there is replaced) and starts the thread. kIo.
  [[nodiscard]] Status Start(const std::string& path, EventSpool* spool, Hooks hooks);
  void Stop();

  // From any thread: there may be new events.
  void Wake();
  // From any thread: the answer to a request taken earlier. Dropped when that agent has gone.
  void Later(std::uint64_t connection, std::int64_t id, Answer answer);

 private:
  struct Client {
    UniqueFd fd;
    std::uint64_t number = 0;
    std::string in;
    std::string out;
    std::uint64_t lines = 0;
    std::uint64_t sent_event = 0;  // sequence of the last event put into `out`
    bool greeted = false;          // events flow after `hello`
    bool closing = false;
  };

  void Run();
  void Accept();
  void Disconnect();
  void ReadClient();
  void HandleLine(std::string_view line);
  void Queue(const Answer& answer, std::optional<std::int64_t> id);
  void TakeLateAnswers();
  void FillEvents();
  void WriteClient();

  EventSpool* spool_ = nullptr;
  Hooks hooks_;
  std::string path_;
  UniqueFd listener_;
  UniqueFd wake_;
  Client client_;
  std::uint64_t connections_ = 0;
  std::atomic<bool> stop_{false};
  std::mutex late_mutex_;
  struct Late {
    std::uint64_t connection;
    std::int64_t id;
    Answer answer;
  };
  std::vector<Late> late_;
  std::thread thread_;
};

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_CONTROL_SERVER_H_
