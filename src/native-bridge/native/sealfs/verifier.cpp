// Checking large files beside the reading. Layer: sealfs.
#include "sealfs/verifier.h"

#include <cerrno>
#include <utility>

namespace sealway::sealfs {

void Verifier::Start(Failed failed) {
  failed_ = std::move(failed);
  thread_ = std::thread([this] { Run(); });
}

void Verifier::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Verifier::Add(InodeTable::Pin inode, std::shared_ptr<SealedFile> file) {
  const std::lock_guard lock(mutex_);
  jobs_.push_back({std::move(inode), std::move(file)});
  wake_.notify_one();
}

void Verifier::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
    if (stop_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    Fault fault;
    // Closed meanwhile: the next open asks again.
    const bool wanted = job.file.use_count() > 1 && job.file->NeedsVerify();
    if (wanted && job.file->Verify(&fault) == EIO) failed_(*job.inode.Get(), fault);
    job = Job{};
    lock.lock();
  }
}

}  // namespace sealway::sealfs
