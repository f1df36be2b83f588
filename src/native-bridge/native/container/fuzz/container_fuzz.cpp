// Fuzzes everything that reads a sealed file: head, slot, secret, frames, accumulator.
//
// Layer: test. Seeds: test/corrupt/container-seeds, sealed under the key 00 01 … 1f.
// A random input fails at the checksum, so each input is read twice: as it is, and with the
// checksums of both slots repaired.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "common/io.h"
#include "common/unique_fd.h"
#include "container/slot_codec.h"
#include "container/whole_file.h"

namespace sealway {
namespace {

Key32 SeedKey() {
  Key32 key;
  for (std::size_t i = 0; i < Key32::kBytes; ++i) {
    key.Mutable()[i] = static_cast<std::uint8_t>(i);
  }
  return key;
}

void Must(bool ok) {
  if (!ok) std::abort();
}

// What was read can be written, and reads back as the same.
void CheckRewrite(const ParsedHead& head, const Key32& key) {
  auto secret = NewHeadSecret();
  Must(secret.Ok());
  secret->accumulator.fill(0x5A);
  ParsedHead next = head;
  const auto slot = NextSlot(next, head.fields, *secret, key);
  if (!slot) {
    Must(head.fields.generation >= (std::uint64_t{1} << 32));
    return;
  }
  const auto again = ParseHead(next.raw);
  // A damaged head may hold a complete slot of a higher generation nowhere but in force.
  Must(again.Ok() && again->slot_index == next.slot_index && again->fields == next.fields);
  const auto opened = OpenSecret(*again, key);
  Must(opened.Ok() && opened->file_key.Equals(secret->file_key));
}

// Frames under a key of our own: nothing authenticates, and nothing may come out.
void ReadFrames(std::span<const std::uint8_t> file, Geometry geometry) {
  static const FrameCipher cipher(SeedKey(), FileId{});
  const auto plain_size = geometry.PlainSize(file.size());
  if (!plain_size) return;
  Must(geometry.DiskSize(*plain_size) == file.size());
  std::vector<std::uint8_t> out(geometry.ChunkSize());
  for (std::uint64_t i = 0; i < geometry.FrameCount(*plain_size); ++i) {
    const std::uint64_t bytes = geometry.PlainBytesIn(i, *plain_size);
    const auto frame = file.subspan(geometry.FrameOffset(i), bytes + kFrameOverhead);
    bool hole = false;
    if (cipher.Open(i, frame, out.data(), &hole)) Must(hole);
    for (std::uint64_t at = 0; at < bytes; ++at) Must(out[at] == 0);
  }
}

void OpenWhole(std::span<const std::uint8_t> file, const Key32& key) {
  static const UniqueFd in(::memfd_create("in", MFD_CLOEXEC));
  static const UniqueFd out(::memfd_create("out", MFD_CLOEXEC));
  Must(::ftruncate(in.Get(), 0) == 0 && ::ftruncate(out.Get(), 0) == 0 &&
       ::lseek(out.Get(), 0, SEEK_SET) == 0);
  Must(PwriteAll(in.Get(), file, 0).Ok());
  const auto opened = OpenFile(in.Get(), out.Get(), key);
  if (opened) Must(::lseek(out.Get(), 0, SEEK_CUR) == static_cast<off_t>(opened->plain_size));
}

void Read(std::span<const std::uint8_t> file) {
  static const Key32 key = SeedKey();
  const auto head = ParseHead(file);
  if (head) {
    CheckRewrite(*head, key);
    ReadFrames(file, head->fields.Layout());
  }
  OpenWhole(file, key);
}

}  // namespace
}  // namespace sealway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealway;
  Read(std::span(data, size));
  if (size < kHeadBytes) return 0;
  std::vector<std::uint8_t> repaired(data, data + size);
  for (const std::size_t offset : kSlotOffset) {
    SetChecksum(SlotSpan(repaired.data() + offset, kSlotBytes));
  }
  Read(repaired);
  return 0;
}
