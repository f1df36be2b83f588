// Sealing closed files in batches. Layer: sealfs.
#include "sealfs/seal_queue.h"

#include <unistd.h>

#include <chrono>
#include <utility>

namespace sealway::sealfs {
namespace {

constexpr std::chrono::milliseconds kDelay{500};
// A full queue does not wait: each entry holds a head and a descriptor.
constexpr std::size_t kFullBatch = 1024;
// Few files are synced one by one; many by one sync of the whole store.
constexpr std::size_t kSingleSyncs = 8;

struct Candidate {
  InodeTable::Pin inode;
  std::shared_ptr<SealedFile> file;
  std::uint64_t changes = 0;
};

}  // namespace

void SealQueue::Start(int root_fd, Done done) {
  root_fd_ = root_fd;
  done_ = std::move(done);
  thread_ = std::thread([this] { Run(); });
}

void SealQueue::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SealQueue::Add(InodeTable::Pin inode) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(inode));
  if (queue_.size() == 1 || queue_.size() >= kFullBatch) wake_.notify_one();
}

void SealQueue::Run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    wake_.wait(lock, [this] { return stop_ || !queue_.empty(); });
    // Files that are saved are often opened again at once: give them a moment.
    wake_.wait_for(lock, kDelay, [this] { return stop_ || queue_.size() >= kFullBatch; });
    auto batch = std::exchange(queue_, {});
    lock.unlock();
    SealBatch(std::move(batch), false);
    lock.lock();
  }
}

void SealQueue::Flush() {
  std::deque<InodeTable::Pin> batch;
  {
    const std::lock_guard lock(mutex_);
    batch = std::exchange(queue_, {});
  }
  SealBatch(std::move(batch), true);
}

void SealQueue::SealBatch(std::deque<InodeTable::Pin> batch, bool durable) {
  const std::lock_guard sealing(sealing_);
  std::vector<Candidate> candidates;
  for (auto& inode : batch) {
    std::shared_ptr<SealedFile> file;
    {
      const std::lock_guard lock(inode->mutex);
      inode->queued_for_sealing = false;
      if (!inode->file || inode->plain_writers != 0 || inode->ingest) continue;
      file = inode->file;
    }
    const std::uint64_t changes = file->Changes();
    candidates.push_back({std::move(inode), std::move(file), changes});
  }
  const auto sync = [&] {
    if (candidates.size() > kSingleSyncs) {
      (void)::syncfs(candidates.front().file->Fd());
      return;
    }
    for (const auto& candidate : candidates) (void)candidate.file->Sync(true);
  };
  sync();
  for (auto& candidate : candidates) {
    bool sealed = false;
    {
      const std::lock_guard lock(candidate.inode->mutex);
      // A writer came back meanwhile: his close queues the file again.
      if (candidate.inode->plain_writers == 0 && !candidate.inode->ingest) {
        sealed = candidate.file->Seal(candidate.changes) == 0;
      }
    }
    done_(*candidate.inode.Get(), sealed);
  }
  if (durable) sync();
}

}  // namespace sealway::sealfs
