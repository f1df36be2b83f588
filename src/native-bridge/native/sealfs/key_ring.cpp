// Label keys. Layer: sealfs.
#include "sealfs/key_ring.h"

#include <mutex>

namespace sealway::sealfs {

const KeyName* KeyRing::Intern(const KeyName& name) {
  {
    const std::shared_lock lock(mutex_);
    const auto found = slots_.find(name);
    if (found != slots_.end()) return &found->first;
  }
  const std::unique_lock lock(mutex_);
  return &slots_.try_emplace(name).first->first;
}

void KeyRing::Add(const KeyName& name, const Key32& key) {
  const std::unique_lock lock(mutex_);
  auto& slot = slots_[name];
  slot.key = key.Clone();
  slot.revoked = false;
}

bool KeyRing::Withdraw(const KeyName& name) {
  const std::unique_lock lock(mutex_);
  auto& slot = slots_[name];
  const bool was_here = slot.key.has_value();
  slot.key.reset();
  slot.revoked = true;
  return was_here;
}

std::optional<Key32> KeyRing::Get(const KeyName& name) const {
  const std::shared_lock lock(mutex_);
  const auto found = slots_.find(name);
  if (found == slots_.end() || !found->second.key) return std::nullopt;
  return found->second.key->Clone();
}

bool KeyRing::Has(const KeyName& name) const {
  const std::shared_lock lock(mutex_);
  const auto found = slots_.find(name);
  return found != slots_.end() && found->second.key.has_value();
}

bool KeyRing::Revoked(const KeyName& name) const {
  const std::shared_lock lock(mutex_);
  const auto found = slots_.find(name);
  return found != slots_.end() && found->second.revoked;
}

}  // namespace sealway::sealfs
