// Checks large sealed files as wholes beside the reading.
//
// Layer: sealfs. Threads: its own. Spec: container-v1, section 6: a file system may check large
// files while they are read, and must fail every later read once the check has failed.
#ifndef SEALWAY_SEALFS_VERIFIER_H_
#define SEALWAY_SEALFS_VERIFIER_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "sealfs/inode_table.h"

namespace sealway::sealfs {

class Verifier {
 public:
  // Called, with no lock held, when a file has failed.
  using Failed = std::function<void(Inode& inode, const Fault& fault)>;

  ~Verifier() { Stop(); }
  void Start(Failed failed);
  void Stop();
  void Add(InodeTable::Pin inode, std::shared_ptr<SealedFile> file);

 private:
  struct Job {
    InodeTable::Pin inode;
    std::shared_ptr<SealedFile> file;
  };
  void Run();

  Failed failed_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_VERIFIER_H_
