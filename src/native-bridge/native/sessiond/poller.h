// One round of poll(2): who waits for what, and whom to call.
//
// Layer: native sessiond. Threads: one.
#ifndef SEALWAY_SESSIOND_POLLER_H_
#define SEALWAY_SESSIOND_POLLER_H_

#include <poll.h>

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

namespace sealway::sessiond {

using Clock = std::chrono::steady_clock;
using Deadline = std::optional<Clock::time_point>;

// Built anew for each round, so a descriptor can never be watched after its owner closed it.
class Poller {
 public:
  // `callback` gets the returned events. What it captures must live until Wait() has returned.
  void Add(int fd, short events, std::function<void(short)> callback) {
    polled_.push_back({fd, events, 0});
    callbacks_.push_back(std::move(callback));
  }

  // Wakes the round at `deadline` at the latest.
  void WakeBy(const Deadline& deadline) {
    if (deadline && (!earliest_ || *deadline < *earliest_)) earliest_ = deadline;
  }

  void Wait() {
    if (::poll(polled_.data(), polled_.size(), TimeoutMs()) <= 0) return;
    for (std::size_t i = 0; i < polled_.size(); ++i) {
      if (polled_[i].revents != 0) callbacks_[i](polled_[i].revents);
    }
  }

 private:
  [[nodiscard]] int TimeoutMs() const {
    if (!earliest_) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*earliest_ - Clock::now());
    return left.count() < 0 ? 0 : static_cast<int>(left.count());
  }

  std::vector<pollfd> polled_;
  std::vector<std::function<void(short)>> callbacks_;
  Deadline earliest_;
};

}  // namespace sealway::sessiond

#endif  // SEALWAY_SESSIOND_POLLER_H_
