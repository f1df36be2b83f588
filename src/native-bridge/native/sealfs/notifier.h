// Tells the kernel to forget cached pages and attributes.
//
// Layer: sealfs. Threads: its own. Never call the kernel's invalidation from a request's thread: it
// waits for pages whose write-back needs a request of ours to be answered.
#ifndef SEALWAY_SEALFS_NOTIFIER_H_
#define SEALWAY_SEALFS_NOTIFIER_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_set>

struct fuse_session;

namespace sealway::sealfs {

class Notifier {
 public:
  ~Notifier() { Stop(); }
  void Start(fuse_session* session);
  void Stop();

  // Queued; repeated requests for a node that still waits are one.
  void InvalidatePages(std::uint64_t node_id);
  void InvalidateAttributes(std::uint64_t node_id);

  // At once: dirty pages of the node are written back, then all its pages are gone. Blocks while
  // requests are served, so never from a request's thread.
  void InvalidatePagesNow(std::uint64_t node_id);

 private:
  void Run();
  void Push(std::uint64_t node_id, bool pages);

  fuse_session* session_ = nullptr;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::uint64_t> queue_;  // node id, lowest bit set: attributes only
  std::unordered_set<std::uint64_t> queued_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_NOTIFIER_H_
