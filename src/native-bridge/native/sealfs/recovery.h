// What a killed sealfs left behind, and files that were never sealed.
//
// Layer: sealfs. Threads: Replay before serving; the others on a thread of the control actions.
#ifndef SEALWAY_SEALFS_RECOVERY_H_
#define SEALWAY_SEALFS_RECOVERY_H_

#include "sealfs/file_system.h"

namespace sealway::sealfs {

// Finishes the overwrites that were under way when the last process was killed. Call before
// serving. The number of records applied. Walks the folder only when there is one.
[[nodiscard]] std::size_t Replay(FileSystem& fs);

// Seals files that the last process left in state `open`, as far as their keys are here.
void SealLeftOpen(FileSystem& fs);

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_RECOVERY_H_
