// What the requests of the control protocol do.
//
// Layer: sealfs. Threads: the control thread; long work (seal-pending, recovery) on one of its own.
#ifndef SEALWAY_SEALFS_CONTROL_ACTIONS_H_
#define SEALWAY_SEALFS_CONTROL_ACTIONS_H_

#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "sealfs/control_server.h"
#include "sealfs/file_system.h"

namespace sealway::sealfs {

class ControlActions {
 public:
  // `leave` is called when the mount is to end; it returns false when the folder is busy.
  ControlActions(FileSystem& fs, ControlServer& server, std::function<bool(bool lazy)> leave);
  ~ControlActions();

  [[nodiscard]] std::optional<ControlServer::Answer> Handle(Request& request,
                                                            std::uint64_t connection);

 private:
  using Answer = ControlServer::Answer;
  [[nodiscard]] Answer Hello();
  [[nodiscard]] Answer Withdraw(const KeysWithdrawRequest& request);
  [[nodiscard]] Answer Health();
  void SealPending(std::uint64_t connection, std::int64_t id);
  // One long piece of work at a time, each after the last.
  void Work(std::function<void()> job);

  FileSystem& fs_;
  ControlServer& server_;
  std::function<bool(bool)> leave_;
  std::thread worker_;
};

// Seals all unsealed files of the folder that no name excludes.
[[nodiscard]] nlohmann::json SealPendingFiles(FileSystem& fs);

// Ends the plain views that depend on a key: pages written back and dropped, keys wiped. The number
// of files that were open.
[[nodiscard]] std::size_t EndPlainViews(FileSystem& fs, const KeyName& key);

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_CONTROL_ACTIONS_H_
