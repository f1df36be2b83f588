// Cache invalidation. Layer: sealfs.
#include "sealfs/notifier.h"

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

namespace sealway::sealfs {
namespace {

constexpr std::uint64_t kAttributesOnly = 1;  // node ids are addresses, so the bit is free
constexpr std::uint64_t kRoot = FUSE_ROOT_ID;

}  // namespace

void Notifier::Start(fuse_session* session) {
  session_ = session;
  thread_ = std::thread([this] { Run(); });
}

void Notifier::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Notifier::Push(std::uint64_t node_id, bool pages) {
  if (node_id == kRoot) return;
  const std::uint64_t entry = pages ? node_id : node_id | kAttributesOnly;
  const std::lock_guard lock(mutex_);
  if (!queued_.insert(entry).second) return;
  queue_.push_back(entry);
  wake_.notify_one();
}

void Notifier::InvalidatePages(std::uint64_t node_id) { Push(node_id, true); }
void Notifier::InvalidateAttributes(std::uint64_t node_id) { Push(node_id, false); }

void Notifier::InvalidatePagesNow(std::uint64_t node_id) {
  // ENOENT: the kernel has forgotten the node meanwhile, and its pages with it.
  if (session_ != nullptr) (void)fuse_lowlevel_notify_inval_inode(session_, node_id, 0, 0);
}

void Notifier::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || !queue_.empty(); });
    if (stop_) return;
    const std::uint64_t entry = queue_.front();
    queue_.pop_front();
    queued_.erase(entry);
    lock.unlock();
    const bool attributes = (entry & kAttributesOnly) != 0;
    (void)fuse_lowlevel_notify_inval_inode(session_, entry & ~kAttributesOnly, attributes ? -1 : 0,
                                           0);
    lock.lock();
  }
}

}  // namespace sealway::sealfs
