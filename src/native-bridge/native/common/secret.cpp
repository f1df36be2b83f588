// The arena behind Key32: whole pages, so that mlock(2) and MADV_DONTDUMP hold for keys and for
// nothing else. (mlock does not nest: two keys on one ordinary page would unlock each other.)
//
// Layer: native common. Threads: one mutex around the free list; 32 bytes are taken and given back
//   under it, which is once in the life of an open file.
// mlock is best effort: without CAP_IPC_LOCK the limit may be small, and keys that can be swapped
// are better than no files. docs: encrypted swap is asked for where this matters.
#include "common/secret.h"

#include <openssl/crypto.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

namespace sealway {
namespace {

class SecretArena {
 public:
  std::uint8_t* Take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) Grow();
    std::uint8_t* slot = free_.back();
    free_.pop_back();
    return slot;
  }

  // `slot` is wiped already; free_ has room for every slot ever made, so this cannot fail.
  void Give(std::uint8_t* slot) noexcept {
    const std::lock_guard lock(mutex_);
    free_.push_back(slot);
  }

 private:
  static constexpr std::size_t kSlabBytes = 16384;

  void Grow() {
    void* slab =
        ::mmap(nullptr, kSlabBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (slab == MAP_FAILED) std::abort();
    static_cast<void>(::mlock(slab, kSlabBytes));
    static_cast<void>(::madvise(slab, kSlabBytes, MADV_DONTDUMP));
    slots_made_ += kSlabBytes / Key32::kBytes;
    free_.reserve(slots_made_);
    auto* bytes = static_cast<std::uint8_t*>(slab);
    for (std::size_t at = 0; at < kSlabBytes; at += Key32::kBytes) free_.push_back(bytes + at);
  }

  std::mutex mutex_;
  std::vector<std::uint8_t*> free_;
  std::size_t slots_made_ = 0;
};

// Never destroyed: keys held by objects with static lifetime are given back after main.
SecretArena& Arena() {
  static auto* arena = new SecretArena;
  return *arena;
}

}  // namespace

Key32::Key32() : slot_(Arena().Take()) { std::memset(slot_, 0, kBytes); }

Key32::Key32(std::span<const std::uint8_t, kBytes> bytes) : slot_(Arena().Take()) {
  std::memcpy(slot_, bytes.data(), kBytes);
}

Key32::Key32(Key32&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}

Key32& Key32::operator=(Key32&& other) noexcept {
  if (this != &other) {
    Free();
    slot_ = std::exchange(other.slot_, nullptr);
  }
  return *this;
}

Key32::~Key32() { Free(); }

void Key32::Free() noexcept {
  if (slot_ == nullptr) return;
  OPENSSL_cleanse(slot_, kBytes);
  Arena().Give(std::exchange(slot_, nullptr));
}

bool Key32::Equals(const Key32& other) const noexcept {
  return CRYPTO_memcmp(slot_, other.slot_, kBytes) == 0;
}

}  // namespace sealway
