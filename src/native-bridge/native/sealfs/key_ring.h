// Label keys that the agent has handed over, by (area, label, epoch).
//
// Layer: sealfs. Threads: any. Spec: docs/spec/sealfs-control-v1.md, `keys-add`, `keys-withdraw`.
// Names are interned and live as long as the process: an inode refers to its key by one pointer.
// The number of names is bounded by what the folder's files really carry.
#ifndef SEALWAY_SEALFS_KEY_RING_H_
#define SEALWAY_SEALFS_KEY_RING_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <tuple>

#include "common/secret.h"

namespace sealway::sealfs {

struct KeyName {
  std::string area;
  std::string label;
  std::uint32_t epoch = 1;
  auto operator<=>(const KeyName&) const = default;
};

class KeyRing {
 public:
  // The one pointer that stands for this name; never null, valid for the life of the ring.
  const KeyName* Intern(const KeyName& name);

  void Add(const KeyName& name, const Key32& key);
  // Wipes the key. False when it was not here. From now on Revoked(name) until it is added again.
  bool Withdraw(const KeyName& name);

  // A copy in locked memory; none when the key is not here.
  [[nodiscard]] std::optional<Key32> Get(const KeyName& name) const;
  [[nodiscard]] bool Has(const KeyName& name) const;
  [[nodiscard]] bool Revoked(const KeyName& name) const;

 private:
  struct Slot {
    std::optional<Key32> key;
    bool revoked = false;
  };
  mutable std::shared_mutex mutex_;
  std::map<KeyName, Slot> slots_;
};

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_KEY_RING_H_
