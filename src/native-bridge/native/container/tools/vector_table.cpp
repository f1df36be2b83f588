// The vectors, one row each. Layer: test tools. See vector_table.h.
//
// Names are stable: a vector's random bytes are drawn from its name, so a new row changes no other.
#include "container/tools/vector_table.h"

#include <algorithm>

#include "common/bytes.h"
#include "container/slot_codec.h"

namespace sealway {
namespace {

constexpr std::uint64_t kChunk = 4096;  // of all vectors but the worked sizes
constexpr std::uint8_t kLog2 = 12;

MadeVector Ok(const VectorDraft& draft, ByteString plain) {
  return {draft.Bytes(), std::move(plain), ToHex(VectorKey().Bytes())};
}
MadeVector Refused(const VectorDraft& draft) {
  return {draft.Bytes(), {}, ToHex(VectorKey().Bytes())};
}

using Change = std::function<void(VectorDraft&)>;
using SlotChange = std::function<void(std::uint8_t*)>;

// A sealed document of one chunk and five bytes, changed by `change`.
VectorCase Broken(std::string name, std::string code, std::string why, Change change) {
  return {std::move(name), {std::move(code), {}, std::move(why)}, [change](const std::string& id) {
            auto draft = VectorDraft::Sealed(VectorFields(kLog2), Document(id, kChunk + 5));
            change(draft);
            return Refused(draft);
          }};
}

// A sealed document of five bytes changed by `change`.
VectorCase Small(std::string name, std::string code, std::string why, Change change) {
  return {std::move(name), {std::move(code), {}, std::move(why)}, [change](const std::string& id) {
            auto draft = VectorDraft::Sealed(VectorFields(kLog2), Document(id, 5));
            change(draft);
            return Refused(draft);
          }};
}

// A document of one chunk and five bytes that was never closed: its frames are authenticated one by
// one.
VectorCase BrokenOpen(std::string name, std::string code, std::string why, Change change) {
  return {std::move(name), {std::move(code), {}, std::move(why)}, [change](const std::string& id) {
            auto draft = VectorDraft::Open(VectorFields(kLog2), Document(id, kChunk + 5));
            change(draft);
            return Refused(draft);
          }};
}

// A sealed document of five bytes whose slot in force was written wrongly by somebody with the key.
VectorCase BadSlot(std::string name, std::string code, std::string why, SlotChange change) {
  return {std::move(name), {std::move(code), {}, std::move(why)}, [change](const std::string& id) {
            auto draft = VectorDraft::Sealed(VectorFields(kLog2), Document(id, 5));
            draft.Forge(draft.SlotInForce(), change);
            return Refused(draft);
          }};
}

// A sealed document of five bytes with other fields.
VectorCase GoodFields(std::string name, std::string why, std::function<void(SlotFields&)> change) {
  return {std::move(name), {"ok", {}, std::move(why)}, [change](const std::string& id) {
            SlotFields fields = VectorFields(kLog2);
            change(fields);
            const ByteString plain = Document(id, 5);
            return Ok(VectorDraft::Sealed(fields, plain), plain);
          }};
}

void Flip(VectorDraft& draft, std::uint64_t disk_offset) { draft.Mutable()[disk_offset] ^= 0x01; }

void Text(std::uint8_t* slot, std::size_t length_at, std::size_t at, std::string_view text) {
  slot[length_at] = static_cast<std::uint8_t>(text.size());
  std::fill_n(slot + at, length_at == 92 ? 64 : 96, std::uint8_t{0});
  std::copy(text.begin(), text.end(), slot + at);
}
void Label(std::uint8_t* slot, std::string_view text) { Text(slot, 92, 96, text); }
void Area(std::uint8_t* slot, std::string_view text) { Text(slot, 93, 160, text); }

void Extensions(std::uint8_t* slot, std::uint16_t length, const ByteString& bytes) {
  StoreLe(slot + 94, length);
  std::copy(bytes.begin(), bytes.end(), slot + 256);
}

void AddSizes(std::vector<VectorCase>& rows) {
  for (const std::uint8_t log2 : {std::uint8_t{12}, std::uint8_t{14}}) {
    const std::uint64_t chunk = std::uint64_t{1} << log2;
    const struct {
      const char* name;
      std::uint64_t size;
    } sizes[] = {{"empty", 0},
                 {"one-byte", 1},
                 {"chunk-less-1", chunk - 1},
                 {"one-chunk", chunk},
                 {"chunk-and-1", chunk + 1},
                 {"3-chunks-and-5", 3 * chunk + 5}};
    for (const auto& row : sizes) {
      const std::uint64_t size = row.size;
      rows.push_back({"ok-c" + std::to_string(chunk) + "-" + row.name,
                      {"ok",
                       {},
                       "chunk size " + std::to_string(chunk) + ", " + std::to_string(size) +
                           " bytes, closed cleanly"},
                      [log2, size](const std::string& id) {
                        const ByteString plain = Document(id, size);
                        return Ok(VectorDraft::Sealed(VectorFields(log2), plain), plain);
                      }});
    }
  }
}

void AddFields(std::vector<VectorCase>& rows) {
  rows.push_back(GoodFields("ok-chunk-size-largest", "chunk size 1 MiB",
                            [](SlotFields& f) { f.chunk_log2 = kMaxChunkLog2; }));
  rows.push_back(
      GoodFields("ok-longest-names", "label of 64 bytes, area of 96 bytes", [](SlotFields& f) {
        f.label = std::string(64, 'l');
        f.area = std::string(96, 'a');
      }));
  rows.push_back(GoodFields("ok-names-not-ascii", "names in UTF-8 of two, three and four bytes",
                            [](SlotFields& f) {
                              f.label = "\xE7\xA7\x98\xE5\xAF\x86";      // two Han characters
                              f.area = "\xC3\xA9tude \xF0\x9F\x94\x92";  // é, a padlock
                            }));
  rows.push_back(
      GoodFields("ok-parent-and-flags", "a parent file id; every flag bit set", [](SlotFields& f) {
        f.parent_id.fill(0xAB);
        f.flags = 0xFFFFFFFF;
      }));
  rows.push_back(GoodFields(
      "ok-extensions", "an origin name and an unknown extension that is empty", [](SlotFields& f) {
        f.extensions = {0x01, 0x00, 0x05, 0x00, 'a', '.', 't', 'x', 't', 0x34, 0x92, 0x00, 0x00};
      }));
  rows.push_back(GoodFields("ok-extensions-full", "one unknown extension that fills all 1024 bytes",
                            [](SlotFields& f) {
                              f.extensions.assign(1024, 0xEE);
                              StoreLe<std::uint16_t>(f.extensions.data(), 0x8001);
                              StoreLe<std::uint16_t>(f.extensions.data() + 2, 1020);
                            }));
  rows.push_back({"ok-minor-version-7",
                  {"ok", {}, "any minor version is accepted"},
                  [](const std::string& id) {
                    const ByteString plain = Document(id, 5);
                    auto draft = VectorDraft::Sealed(VectorFields(kLog2), plain);
                    draft.Forge(draft.SlotInForce(), [](std::uint8_t* slot) { slot[6] = 7; });
                    return Ok(draft, plain);
                  }});
  rows.push_back({"ok-preamble-own-text",
                  {"ok", {}, "the tenant's own text; readers ignore it"},
                  [](const std::string& id) {
                    const ByteString plain = Document(id, 5);
                    VectorDraft draft(VectorFields(kLog2), "Ask extension 4711.\n");
                    draft.WriteAll(plain);
                    draft.Close();
                    return Ok(draft, plain);
                  }});
}

void AddLives(std::vector<VectorCase>& rows) {
  rows.push_back({"ok-rewritten",
                  {"ok", {}, "opened again, its first chunk written anew, closed"},
                  [](const std::string& id) {
                    ByteString plain = Document(id, kChunk + 9);
                    auto draft = VectorDraft::Sealed(VectorFields(kLog2), plain);
                    const ByteString chunk = Document(id + "/new", kChunk);
                    std::copy(chunk.begin(), chunk.end(), plain.begin());
                    draft.Reopen();
                    draft.WriteFrame(0, chunk);
                    draft.Close();
                    return Ok(draft, plain);
                  }});
  rows.push_back({"ok-relabelled",
                  {"ok", {}, "label, area, epoch and key changed; frames as before"},
                  [](const std::string& id) {
                    const ByteString plain = Document(id, kChunk + 9);
                    auto draft = VectorDraft::Sealed(VectorFields(kLog2), plain);
                    Key32 key;
                    std::fill_n(key.Mutable().data(), Key32::kBytes, std::uint8_t{0x77});
                    draft.Relabel("public", "everybody", 2, key);
                    return MadeVector{draft.Bytes(), plain, ToHex(key.Bytes())};
                  }});
  rows.push_back({"ok-unclean",
                  {"ok", {"unclean"}, "the writer died: state open, size from disk"},
                  [](const std::string& id) {
                    const ByteString plain = Document(id, kChunk + 9);
                    return Ok(VectorDraft::Open(VectorFields(kLog2), plain), plain);
                  }});
  rows.push_back({"ok-unclean-empty",
                  {"ok", {"unclean"}, "made and never written"},
                  [](const std::string&) { return Ok(VectorDraft(VectorFields(kLog2)), {}); }});
  rows.push_back({"ok-slot-damaged",
                  {"ok", {"slot-damaged"}, "a cut in the next slot's write"},
                  [](const std::string& id) {
                    const ByteString plain = Document(id, 5);
                    auto draft = VectorDraft::Sealed(VectorFields(kLog2), plain);
                    draft.TearNextSlot(700);
                    return Ok(draft, plain);
                  }});
  rows.push_back(
      {"ok-slot-damaged-open",
       {"ok", {"unclean", "slot-damaged"}, "a cut while the slot that closes was written"},
       [](const std::string& id) {
         const ByteString plain = Document(id, kChunk + 9);
         auto draft = VectorDraft::Open(VectorFields(kLog2), plain);
         draft.TearNextSlot(kSlotBytes - 1);
         return Ok(draft, plain);
       }});
}

// Three chunks: a hole, bytes, and 100 bytes that are a hole too.
VectorDraft SparseDraft(const std::string& id, ByteString& plain) {
  plain = Document(id, 2 * kChunk + 100);
  std::fill(plain.begin(), plain.begin() + kChunk, std::uint8_t{0});
  std::fill(plain.begin() + 2 * kChunk, plain.end(), std::uint8_t{0});
  VectorDraft draft(VectorFields(kLog2));
  draft.WriteHole(0, kChunk);
  draft.WriteFrame(1, ByteString(plain.begin() + kChunk, plain.begin() + 2 * kChunk));
  draft.WriteHole(2, 100);
  return draft;
}

void AddHoles(std::vector<VectorCase>& rows) {
  rows.push_back({"ok-holes",
                  {"ok", {}, "chunks 0 and the short 2 were never written"},
                  [](const std::string& id) {
                    ByteString plain;
                    auto draft = SparseDraft(id, plain);
                    draft.Close();
                    return Ok(draft, plain);
                  }});
  rows.push_back({"ok-holes-unclean",
                  {"ok", {"unclean"}, "the same, never closed"},
                  [](const std::string& id) {
                    ByteString plain;
                    const auto draft = SparseDraft(id, plain);
                    return Ok(draft, plain);
                  }});
  rows.push_back({"ok-holes-only",
                  {"ok", {}, "no chunk was ever written: a zero accumulator"},
                  [](const std::string&) {
                    VectorDraft draft(VectorFields(kLog2));
                    draft.WriteHole(0, kChunk);
                    draft.WriteHole(1, 1);
                    draft.Close();
                    return Ok(draft, ByteString(kChunk + 1));
                  }});
  rows.push_back({"ok-zeros-written",
                  {"ok", {}, "zeros that were written are sealed, no hole"},
                  [](const std::string&) {
                    const ByteString plain(kChunk + 1);
                    return Ok(VectorDraft::Sealed(VectorFields(kLog2), plain), plain);
                  }});
}

void AddStarts(std::vector<VectorCase>& rows) {
  rows.push_back(Small("short-head", "E_CONTAINER_SHORT", "one byte less than a head",
                       [](VectorDraft& d) { d.Mutable().resize(kHeadBytes - 1); }));
  rows.push_back(Small("short-magic-alone", "E_CONTAINER_SHORT", "the magic and nothing else",
                       [](VectorDraft& d) { d.Mutable().resize(kMagicBytes); }));
  rows.push_back(Small("magic-changed", "E_CONTAINER_MAGIC", "the magic's last byte is 2",
                       [](VectorDraft& d) { d.Mutable()[7] = '2'; }));
  rows.push_back(Small("magic-short-text", "E_CONTAINER_MAGIC",
                       "an ordinary file, less than a head", [](VectorDraft& d) {
                         const std::string text = "Dear Sir or Madam,\n";
                         d.Mutable().assign(text.begin(), text.end());
                       }));
  rows.push_back(Small("magic-cut", "E_CONTAINER_MAGIC", "less than the magic is no sealed file",
                       [](VectorDraft& d) { d.Mutable().resize(kMagicBytes - 1); }));
  rows.push_back(BadSlot("version-2", "E_CONTAINER_VERSION", "major version 2, all else as in 1",
                         [](std::uint8_t* slot) { slot[4] = 2; }));
  rows.push_back(BadSlot("version-before-suite", "E_CONTAINER_VERSION",
                         "what another version calls suite or length is not ours to judge",
                         [](std::uint8_t* slot) {
                           slot[5] = 1;
                           slot[8] = 9;
                           slot[92] = 255;
                         }));
  rows.push_back(BadSlot("suite-2", "E_CONTAINER_SUITE", "SM4-GCM is reserved, not implemented",
                         [](std::uint8_t* slot) { slot[8] = 2; }));
}

void AddHeaderNumbers(std::vector<VectorCase>& rows) {
  const std::string code = "E_CONTAINER_HEADER";
  rows.push_back(Small("header-first-slot-torn", code, "one slot torn, the other all zero",
                       [](VectorDraft& d) {
                         std::fill_n(d.Mutable().begin() + 2048, kSlotBytes, std::uint8_t{0});
                         Flip(d, 512 + 1535);
                       }));
  rows.push_back(
      Small("header-both-slots-torn", code, "a bit lost in each slot", [](VectorDraft& d) {
        Flip(d, 512 + 40);
        Flip(d, 2048 + 40);
      }));
  rows.push_back(BadSlot("header-chunk-log2-11", code, "chunks below 4 KiB",
                         [](std::uint8_t* slot) { slot[10] = 11; }));
  rows.push_back(BadSlot("header-chunk-log2-21", code, "chunks above 1 MiB",
                         [](std::uint8_t* slot) { slot[10] = 21; }));
  rows.push_back(BadSlot("header-chunk-log2-255", code, "a shift that no integer has",
                         [](std::uint8_t* slot) { slot[10] = 255; }));
  rows.push_back(
      BadSlot("header-state-0", code, "state 0", [](std::uint8_t* slot) { slot[11] = 0; }));
  rows.push_back(BadSlot("header-plain-size", code, "plain size 2^53",
                         [](std::uint8_t* slot) { StoreLe(slot + 24, kMaxPlainSize + 1); }));
  rows.push_back(BadSlot("header-epoch-0", code, "epochs count from 1",
                         [](std::uint8_t* slot) { StoreLe(slot + 88, std::uint32_t{0}); }));
}

void AddHeaderTexts(std::vector<VectorCase>& rows) {
  const std::string code = "E_CONTAINER_HEADER";
  const struct {
    const char* name;
    const char* why;
    std::string_view text;
  } labels[] = {
      {"header-label-empty", "a label has 1 to 64 bytes", ""},
      {"header-label-stray-byte", "not UTF-8: a continuation byte alone",
       "a\x80"
       "b"},
      {"header-label-cut-sequence", "not UTF-8: ends within a character", "a\xE7\xA7"},
      {"header-label-overlong", "not UTF-8: a slash in two bytes", "a\xC0\xAF"},
      {"header-label-surrogate", "not UTF-8: half a surrogate pair", "a\xED\xA0\x80"},
      {"header-label-escape", "control character U+001B", "a\x1B[2J"},
      {"header-label-delete", "control character U+007F", "a\x7F"},
      {"header-label-c1", "control character U+009B",
       "a\xC2\x9B"
       "2J"},
  };
  for (const auto& row : labels) {
    const std::string_view text = row.text;
    rows.push_back(
        BadSlot(row.name, code, row.why, [text](std::uint8_t* slot) { Label(slot, text); }));
  }
  rows.push_back(BadSlot("header-label-length-65", code, "the length runs into the next field",
                         [](std::uint8_t* slot) {
                           Label(slot, std::string(64, 'l'));
                           slot[92] = 65;
                         }));
  rows.push_back(BadSlot("header-label-padding", code, "bytes behind the label's end",
                         [](std::uint8_t* slot) { slot[96 + 63] = 'x'; }));
  rows.push_back(BadSlot("header-label-inner-zero", code, "control character U+0000",
                         [](std::uint8_t* slot) { Label(slot, std::string_view("a\0b", 3)); }));
  rows.push_back(BadSlot("header-area-length-97", code, "the length runs into the next field",
                         [](std::uint8_t* slot) {
                           Area(slot, std::string(96, 'a'));
                           slot[93] = 97;
                         }));
  rows.push_back(BadSlot("header-area-not-utf8", code, "not UTF-8: 0xFF",
                         [](std::uint8_t* slot) { Area(slot, "a\xFF"); }));
}

void AddHeaderExtensions(std::vector<VectorCase>& rows) {
  const std::string code = "E_CONTAINER_HEADER";
  rows.push_back(BadSlot("header-extensions-1025", code, "the length runs into the secret",
                         [](std::uint8_t* slot) { Extensions(slot, 1025, {}); }));
  rows.push_back(BadSlot("header-extensions-overrun", code, "a value longer than the extensions",
                         [](std::uint8_t* slot) {
                           Extensions(slot, 6, {1, 0, 3, 0, 'a', 'b'});
                         }));
  rows.push_back(BadSlot("header-extensions-cut", code, "ends within a type and length",
                         [](std::uint8_t* slot) {
                           Extensions(slot, 3, {1, 0, 0});
                         }));
  rows.push_back(
      BadSlot("header-extensions-twice", code, "a type comes twice", [](std::uint8_t* slot) {
        Extensions(slot, 10, {1, 0, 1, 0, 'a', 1, 0, 1, 0, 'b'});
      }));
  rows.push_back(BadSlot("header-extensions-padding", code, "bytes behind the extensions' end",
                         [](std::uint8_t* slot) { Extensions(slot, 0, {1}); }));
}

void AddKeys(std::vector<VectorCase>& rows) {
  const std::string code = "E_CONTAINER_KEY";
  rows.push_back({"key-wrong", {code, {}, "one bit of the label key"}, [](const std::string& id) {
                    MadeVector made =
                        Refused(VectorDraft::Sealed(VectorFields(kLog2), Document(id, 5)));
                    made.key_hex.back() = 'e';
                    return made;
                  }});
  rows.push_back(
      Small("key-flag-changed", code, "a flag changed, checksum repaired", [](VectorDraft& d) {
        d.Tamper(d.SlotInForce(), [](std::uint8_t* slot) { slot[12] ^= 1; });
      }));
  rows.push_back(Small("key-label-changed", code,
                       "another label of the same key, checksum repaired", [](VectorDraft& d) {
                         d.Tamper(d.SlotInForce(), [](std::uint8_t* s) { Label(s, "public"); });
                       }));
  rows.push_back(Small(
      "key-state-changed", code, "sealed made open, so that no seal is checked",
      [](VectorDraft& d) { d.Tamper(d.SlotInForce(), [](std::uint8_t* slot) { slot[11] = 2; }); }));
  rows.push_back(Small("key-slot-reserve-changed", code, "a reserved byte of the slot is not zero",
                       [](VectorDraft& d) {
                         d.Tamper(d.SlotInForce(), [](std::uint8_t* slot) { slot[1400] = 1; });
                       }));
  rows.push_back(
      Small("key-secret-changed", code, "a bit of the encrypted file key", [](VectorDraft& d) {
        d.Tamper(d.SlotInForce(), [](std::uint8_t* slot) { slot[1292] ^= 1; });
      }));
  rows.push_back(Small("key-preamble-changed", code, "a letter of the text that people read",
                       [](VectorDraft& d) { Flip(d, 20); }));
  rows.push_back(Small("key-head-reserve-changed", code, "a byte of the head's reserved region",
                       [](VectorDraft& d) { Flip(d, 4000); }));
  rows.push_back({"key-no-fallback",
                  {code, {}, "the newer slot does not authenticate; the older would, but is past"},
                  [](const std::string& id) {
                    auto draft = VectorDraft::Sealed(VectorFields(kLog2), Document(id, 5));
                    draft.Relabel("public", "everybody", 2, VectorKey());
                    draft.Tamper(draft.SlotInForce(), [](std::uint8_t* slot) { slot[1292] ^= 1; });
                    return Refused(draft);
                  }});
}

void AddChunks(std::vector<VectorCase>& rows) {
  const std::string code = "E_CONTAINER_CHUNK";
  rows.push_back(Broken("chunk-bit-flipped", code, "a bit of chunk 0's ciphertext; tags untouched",
                        [](VectorDraft& d) { Flip(d, d.FrameOffset(0) + 12 + 1000); }));
  rows.push_back(Small("chunk-nonce-flipped", code, "a bit of chunk 0's nonce; tags untouched",
                       [](VectorDraft& d) { Flip(d, d.FrameOffset(0)); }));
  rows.push_back(BrokenOpen("chunk-tag-flipped", code, "a bit of chunk 0's tag, state open",
                            [](VectorDraft& d) { Flip(d, d.FrameOffset(1) - 1); }));
  rows.push_back({"chunk-swapped",
                  {code, {}, "chunks 0 and 1 exchanged, state open"},
                  [](const std::string& id) {
                    auto draft = VectorDraft::Open(VectorFields(kLog2), Document(id, 2 * kChunk));
                    const ByteString first = draft.Frame(0), second = draft.Frame(1);
                    draft.PutBytes(draft.FrameOffset(0), second);
                    draft.PutBytes(draft.FrameOffset(1), first);
                    return Refused(draft);
                  }});
  rows.push_back(BrokenOpen("chunk-hole-with-bytes", code,
                            "nonce and tag zero, ciphertext not: no hole, and not authentic",
                            [](VectorDraft& d) {
                              ByteString frame(kChunk + kFrameOverhead);
                              frame[2000] = 1;
                              d.PutBytes(d.FrameOffset(0), frame);
                            }));
  rows.push_back(BrokenOpen("chunk-cut-in-frame", code, "the last frame lost its last byte",
                            [](VectorDraft& d) { d.Mutable().pop_back(); }));
  rows.push_back({"chunk-of-other-file",
                  {code, {}, "chunk 0 of a file under the same label key"},
                  [](const std::string& id) {
                    auto draft = VectorDraft::Open(VectorFields(kLog2), Document(id, 20));
                    const auto other = VectorDraft::Open(VectorFields(kLog2), Document(id, 20));
                    draft.PutBytes(draft.FrameOffset(0), other.Frame(0));
                    return Refused(draft);
                  }});
}

void AddSizesRefused(std::vector<VectorCase>& rows) {
  const std::string code = "E_CONTAINER_TRUNCATED";
  rows.push_back(BrokenOpen("truncated-1-byte-left", code, "1 byte of the last frame, state open",
                            [](VectorDraft& d) { d.Mutable().resize(d.FrameOffset(1) + 1); }));
  rows.push_back(BrokenOpen("truncated-28-bytes-left", code, "a frame of no bytes, state open",
                            [](VectorDraft& d) { d.Mutable().resize(d.FrameOffset(1) + 28); }));
  rows.push_back(Broken("truncated-between-frames", code,
                        "the last frame is gone, all others whole",
                        [](VectorDraft& d) { d.Mutable().resize(d.FrameOffset(1)); }));
  rows.push_back(Broken("truncated-to-head", code, "a sealed file without its frames",
                        [](VectorDraft& d) { d.Mutable().resize(kHeadBytes); }));
  rows.push_back(Small("truncated-in-frame", code, "the last byte is gone",
                       [](VectorDraft& d) { d.Mutable().pop_back(); }));
}

void AddSeals(std::vector<VectorCase>& rows) {
  const std::string code = "E_CONTAINER_SEAL";
  rows.push_back({"seal-older-chunk",
                  {code, {}, "chunk 0 as it was before it was written anew"},
                  [](const std::string& id) {
                    auto draft = VectorDraft::Sealed(VectorFields(kLog2), Document(id, kChunk + 5));
                    const ByteString old = draft.Frame(0);
                    draft.Reopen();
                    draft.WriteFrame(0, Document(id + "/new", kChunk));
                    draft.Close();
                    draft.PutBytes(draft.FrameOffset(0), old);
                    return Refused(draft);
                  }});
  rows.push_back(Broken(
      "seal-chunk-zeroed", code, "chunk 0 turned into a hole",
      [](VectorDraft& d) { d.PutBytes(d.FrameOffset(0), ByteString(kChunk + kFrameOverhead)); }));
  rows.push_back({"seal-hole-filled",
                  {code, {}, "a hole filled with the chunk that once was there"},
                  [](const std::string& id) {
                    auto draft = VectorDraft::Sealed(VectorFields(kLog2), Document(id, kChunk + 5));
                    const ByteString old = draft.Frame(0);
                    draft.Reopen();
                    draft.WriteHole(0, kChunk);
                    draft.Close();
                    draft.PutBytes(draft.FrameOffset(0), old);
                    return Refused(draft);
                  }});
  rows.push_back({"seal-longer",
                  {code, {}, "a chunk put back that was cut off before closing"},
                  [](const std::string& id) {
                    auto draft = VectorDraft::Sealed(VectorFields(kLog2), Document(id, kChunk));
                    const ByteString closed = draft.Bytes();
                    draft.Reopen();
                    draft.WriteFrame(1, Document(id + "/more", 9));
                    const ByteString extra = draft.Frame(1);
                    draft.Mutable() = closed;
                    draft.PutBytes(draft.FrameOffset(1), extra);
                    return Refused(draft);
                  }});
}

}  // namespace

std::vector<VectorCase> AllVectors() {
  std::vector<VectorCase> rows;
  AddSizes(rows);
  AddFields(rows);
  AddLives(rows);
  AddHoles(rows);
  AddStarts(rows);
  AddHeaderNumbers(rows);
  AddHeaderTexts(rows);
  AddHeaderExtensions(rows);
  AddKeys(rows);
  AddChunks(rows);
  AddSizesRefused(rows);
  AddSeals(rows);
  return rows;
}

}  // namespace sealway
