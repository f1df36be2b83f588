// Writes the `sealed` state of closed files, later and in batches.
//
// Layer: sealfs. Threads: its own, and whoever calls Flush. Spec: container-v1, "Writer's order".
// Order of writes: data of the whole batch made durable (one sync), then each `sealed` slot. A
// crash before a slot leaves a file that says `open`, which the next start seals (dirty list,
// redo_log.h).
#ifndef SEALWAY_SEALFS_SEAL_QUEUE_H_
#define SEALWAY_SEALFS_SEAL_QUEUE_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "sealfs/inode_table.h"

namespace sealway::sealfs {

class SealQueue {
 public:
  // Called, with no lock held, after a file's state was written or given up.
  using Done = std::function<void(Inode& inode, bool sealed)>;

  ~SealQueue() { Stop(); }
  void Start(int root_fd, Done done);
  // Seals what is queued, then ends the thread.
  void Stop();

  // The last writer has gone. Repeated calls before sealing are harmless.
  void Add(InodeTable::Pin inode);
  // Seals all that is queued now; returns when that is done and durable.
  void Flush();

 private:
  void Run();
  void SealBatch(std::deque<InodeTable::Pin> batch, bool durable);

  int root_fd_ = -1;
  Done done_;
  std::mutex mutex_;
  std::mutex sealing_;  // one batch at a time, so that Flush sees earlier batches finished
  std::condition_variable wake_;
  std::deque<InodeTable::Pin> queue_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_SEAL_QUEUE_H_
