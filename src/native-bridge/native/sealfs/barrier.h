// Opens that wait until their record is durable at the agent. No thread waits with them.
//
// Layer: sealfs. Threads: any. Spec: docs/spec/sealfs-control-v1.md, `barrier-release`.
#ifndef SEALWAY_SEALFS_BARRIER_H_
#define SEALWAY_SEALFS_BARRIER_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

namespace sealway::sealfs {

class BarrierQueue {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kPatience{5};
  // Called once with whether the record is durable. Runs on the control thread.
  using Finish = std::function<void(bool durable)>;

  // Without an agent no record can become durable: such an open is refused at once.
  void SetConnected(bool connected) { connected_ = connected; }
  [[nodiscard]] bool Connected() const { return connected_.load(); }

  void Park(std::uint64_t sequence, Finish finish);
  // False: no such open waits (it was released or timed out).
  bool Release(std::uint64_t sequence);
  // Fails those that have waited too long.
  void Expire(Clock::time_point now);
  [[nodiscard]] bool Empty();

 private:
  struct Waiting {
    Clock::time_point since;
    Finish finish;
  };
  std::atomic<bool> connected_{false};
  std::mutex mutex_;
  std::map<std::uint64_t, Waiting> waiting_;
  // Released before they were parked: the agent may be faster than the thread that opens.
  std::map<std::uint64_t, Clock::time_point> early_;
};

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_BARRIER_H_
