// Fresh nonces from a thread_local batch. Layer: native container. See nonce_pool.h.
#include "container/nonce_pool.h"

#include <pthread.h>

#include <array>
#include <atomic>
#include <cstring>

#include "container/geometry.h"
#include "container/random.h"

namespace sealway {
namespace {

constexpr std::size_t kBatchBytes = 341 * kNonceBytes;  // as many as fit into 4 KiB

std::atomic<std::uint64_t> fork_count{1};

// A raw clone(2) without CLONE_VM would not run this; nothing in Sealway does that.
void CountFork() { fork_count.fetch_add(1, std::memory_order_relaxed); }

bool WatchForks() noexcept {
  static const bool watching = ::pthread_atfork(nullptr, nullptr, CountFork) == 0;
  return watching;
}

struct Pool {
  std::uint64_t filled_at_fork_count = 0;  // 0: never
  std::size_t used = kBatchBytes;
  std::array<std::uint8_t, kBatchBytes> bytes;
};

thread_local Pool pool;

bool Refill(std::uint64_t forks) noexcept {
  pool.used = kBatchBytes;
  if (!WatchForks() || !FillRandom(pool.bytes)) return false;
  pool.used = 0;
  pool.filled_at_fork_count = forks;
  return true;
}

}  // namespace

bool DrawNonce(std::uint8_t* nonce_out) noexcept {
  const std::uint64_t forks = fork_count.load(std::memory_order_relaxed);
  if ((pool.used == kBatchBytes || pool.filled_at_fork_count != forks) && !Refill(forks)) {
    return false;
  }
  std::memcpy(nonce_out, pool.bytes.data() + pool.used, kNonceBytes);
  pool.used += kNonceBytes;
  return true;
}

}  // namespace sealway
