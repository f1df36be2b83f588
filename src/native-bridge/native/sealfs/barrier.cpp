// Opens that wait for their record. Layer: sealfs.
#include "sealfs/barrier.h"

#include <utility>
#include <vector>

namespace sealway::sealfs {

void BarrierQueue::Park(std::uint64_t sequence, Finish finish) {
  {
    const std::lock_guard lock(mutex_);
    if (early_.erase(sequence) == 0) {
      waiting_.emplace(sequence, Waiting{Clock::now(), std::move(finish)});
      return;
    }
  }
  finish(true);
}

bool BarrierQueue::Release(std::uint64_t sequence) {
  Finish finish;
  {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(sequence);
    if (found == waiting_.end()) {
      early_.emplace(sequence, Clock::now());
      return false;
    }
    finish = std::move(found->second.finish);
    waiting_.erase(found);
  }
  finish(true);
  return true;
}

void BarrierQueue::Expire(Clock::time_point now) {
  std::vector<Finish> late;
  {
    const std::lock_guard lock(mutex_);
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      if (now - it->second.since < kPatience) {
        ++it;
        continue;
      }
      late.push_back(std::move(it->second.finish));
      it = waiting_.erase(it);
    }
    std::erase_if(early_, [&](const auto& entry) { return now - entry.second > kPatience; });
  }
  for (const auto& finish : late) finish(false);
}

bool BarrierQueue::Empty() {
  const std::lock_guard lock(mutex_);
  return waiting_.empty();
}

}  // namespace sealway::sealfs
