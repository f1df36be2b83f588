// Counters and latency histograms. Layer: sealfs. Threads: any, without locks.
#ifndef SEALWAY_SEALFS_HEALTH_H_
#define SEALWAY_SEALFS_HEALTH_H_

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>

namespace sealway::sealfs {

// Four buckets an octave of nanoseconds: a percentile is right to about 20 percent.
class Histogram {
 public:
  void Add(std::uint64_t ns) { counts_[Bucket(ns)].fetch_add(1, std::memory_order_relaxed); }
  // Microseconds below which `share` (0 … 1) of the samples lie; 0 without samples.
  [[nodiscard]] double PercentileUs(double share) const {
    std::uint64_t total = 0;
    for (const auto& count : counts_) total += count.load(std::memory_order_relaxed);
    const auto wanted = static_cast<std::uint64_t>(static_cast<double>(total) * share);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets && total != 0; ++i) {
      seen += counts_[i].load(std::memory_order_relaxed);
      if (seen > wanted) return static_cast<double>(UpperNs(i)) / 1000.0;
    }
    return 0;
  }

 private:
  static constexpr std::size_t kBuckets = 160;
  static std::size_t Bucket(std::uint64_t ns) {
    if (ns < 4) return static_cast<std::size_t>(ns);
    const auto log = static_cast<std::size_t>(std::bit_width(ns)) - 1;
    const std::size_t bucket = (log - 1) * 4 + ((ns >> (log - 2)) & 3);
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }
  static std::uint64_t UpperNs(std::size_t bucket) {
    if (bucket < 4) return bucket + 1;
    return (std::uint64_t{5} + bucket % 4) << (bucket / 4 - 1);
  }
  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
};

struct Health {
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> in_flight{0};
  std::atomic<std::uint64_t> open_files{0};
  std::atomic<std::uint64_t> plain{0};
  std::atomic<std::uint64_t> sealed{0};
  std::atomic<std::uint64_t> refused{0};
  Histogram lookup;
  Histogram open;
  Histogram read;
  Histogram write;
};

// Counts one request and, where a histogram is given, its time.
class Measured {
 public:
  explicit Measured(Health& health, Histogram* histogram = nullptr)
      : health_(health), histogram_(histogram) {
    health_.requests.fetch_add(1, std::memory_order_relaxed);
    health_.in_flight.fetch_add(1, std::memory_order_relaxed);
    if (histogram_ != nullptr) start_ = std::chrono::steady_clock::now();
  }
  Measured(const Measured&) = delete;
  Measured& operator=(const Measured&) = delete;
  ~Measured() {
    health_.in_flight.fetch_sub(1, std::memory_order_relaxed);
    if (histogram_ == nullptr) return;
    const auto spent = std::chrono::steady_clock::now() - start_;
    histogram_->Add(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count()));
  }

 private:
  Health& health_;
  Histogram* histogram_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_HEALTH_H_
