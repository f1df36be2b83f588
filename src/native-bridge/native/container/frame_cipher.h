// Seals and opens single frames of one file, and digests their tags for the accumulator.
//
// Layer: native container. No I/O. Spec: docs/spec/container-v1.md, sections 4 to 6.
// Threads: every const member may be called from any thread at once. Cipher contexts are
//   thread_local and keep the key schedule of the file used last, so a thread that stays with one
//   file pays for the schedule once. They are wiped when the thread ends, when it turns to another
//   file, and when this object is destroyed on that thread.
#ifndef SEALWAY_CONTAINER_FRAME_CIPHER_H_
#define SEALWAY_CONTAINER_FRAME_CIPHER_H_

#include <array>
#include <cstdint>
#include <span>

#include "common/secret.h"
#include "container/head.h"

namespace sealway {

// All bytes zero: a chunk that was never written, standing for zeros. `frame` may have any length.
[[nodiscard]] bool IsHole(std::span<const std::uint8_t> frame) noexcept;

void XorInto(Digest32& accumulator, const Digest32& digest) noexcept;

class FrameCipher {
 public:
  // Derives chunkKey and sealKey. The keys are copied; `file_key` need not outlive the call.
  // A failure of the crypto library here ends the process: it means that HMAC is missing.
  FrameCipher(const Key32& file_key, const FileId& file_id);
  FrameCipher(const FrameCipher&) = delete;
  FrameCipher& operator=(const FrameCipher&) = delete;
  ~FrameCipher();

  // Writes nonce ‖ ciphertext ‖ tag, plain.size() + 28 bytes, with a fresh nonce. `plain` holds 1
  // byte to one chunk; it may not overlap `frame_out`.
  // False: the random source or the crypto library failed; frame_out is then all zero and must not
  // be written to disk (it would read as a hole).
  [[nodiscard]] bool Seal(std::uint64_t index, std::span<const std::uint8_t> plain,
                          std::uint8_t* frame_out) const;

  // Writes frame.size() - 28 bytes to `plain_out`. May not overlap.
  // False (E_CONTAINER_CHUNK): the frame does not authenticate or is shorter than 29 bytes;
  // plain_out is then all zero.
  // A hole gives zeros, true and *was_hole: of a sealed file a hole may only be returned after the
  // accumulator has been checked (section 6), because no tag vouches for it.
  [[nodiscard]] bool Open(std::uint64_t index, std::span<const std::uint8_t> frame,
                          std::uint8_t* plain_out, bool* was_hole = nullptr) const;

  // HMAC-SHA-256(sealKey, index ‖ tag): what frame `index` puts into the accumulator.
  // Do not add holes: they have no tag.
  [[nodiscard]] Digest32 TagDigest(std::uint64_t index, const std::uint8_t* tag) const noexcept;

 private:
  std::uint64_t serial_;  // never given twice in a process: names the key a thread has loaded
  FileId file_id_;
  Key32 chunk_key_;
  // SHA-256 after the key block of the inner and the outer hash (RFC 2104): two compressions a
  // digest in place of four.
  std::array<std::uint32_t, 8> inner_{};
  std::array<std::uint32_t, 8> outer_{};
};

}  // namespace sealway

#endif  // SEALWAY_CONTAINER_FRAME_CIPHER_H_
