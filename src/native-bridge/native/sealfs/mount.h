// The life of one mount: harden, recover, mount over the folder, serve, leave.
//
// Layer: sealfs. Threads: the caller's becomes libfuse's main loop; libfuse's workers, the control
// thread, the notifier, the sealer and the signal thread are started here.
// A crash at any moment leaves the folder unmounted or dead-mounted; the next start cleans the
// latter.
#ifndef SEALWAY_SEALFS_MOUNT_H_
#define SEALWAY_SEALFS_MOUNT_H_

#include "sealfs/options.h"

namespace sealway::sealfs {

// Serves until unmounted; the process's exit status. Failures before `ready`: one line on standard
// error and 1.
[[nodiscard]] int Serve(const Options& options);

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_MOUNT_H_
