// What an outsider is writing: encrypted as it arrives, or stored as it is when it is a container.
//
// Layer: sealfs. Plain data and one decision; guarded by Inode::mutex.
// Spec: docs/spec/sealfs-control-v1.md, `sealed-in`.
#ifndef SEALWAY_SEALFS_INGEST_H_
#define SEALWAY_SEALFS_INGEST_H_

#include <cstdint>
#include <vector>

namespace sealway::sealfs {

struct Ingest {
  enum class Mode : std::uint8_t {
    kUndecided,   // nothing written yet
    kHolding,     // begins with the magic: held back until a whole head is here
    kEncrypting,  // a document
    kAdopting,    // a sealed file: its bytes go to disk as they come
  };
  Mode mode = Mode::kUndecided;
  std::uint32_t handles = 0;
  std::uint64_t bytes_written = 0;
  // A session has opened the file: nobody outside may read it back any more.
  bool unreadable = false;
  std::vector<std::uint8_t> held;  // at most one head
};

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_INGEST_H_
