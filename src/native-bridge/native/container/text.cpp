// Well-formed UTF-8 without control characters. Layer: native container. See text.h.
#include "container/text.h"

#include <cstdint>

namespace sealway {
namespace {

struct Lead {
  int followers;   // -1: no lead byte
  char32_t bits;   // the lead byte's share of the code point
  char32_t least;  // smaller values would be overlong
};

Lead ReadLead(std::uint8_t byte) noexcept {
  if (byte < 0x80) return {0, byte, 0};
  if ((byte & 0xE0) == 0xC0) return {1, static_cast<char32_t>(byte & 0x1F), 0x80};
  if ((byte & 0xF0) == 0xE0) return {2, static_cast<char32_t>(byte & 0x0F), 0x800};
  if ((byte & 0xF8) == 0xF0) return {3, static_cast<char32_t>(byte & 0x07), 0x10000};
  return {-1, 0, 0};
}

bool IsScalar(char32_t point) noexcept {
  return point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
}

bool IsControl(char32_t point) noexcept { return point < 0x20 || (point >= 0x7F && point <= 0x9F); }

}  // namespace

bool IsCleanText(std::string_view text, int newlines_allowed) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const Lead lead = ReadLead(static_cast<std::uint8_t>(text[at++]));
    if (lead.followers < 0) return false;
    char32_t point = lead.bits;
    for (int i = 0; i < lead.followers; ++i, ++at) {
      if (at == text.size()) return false;
      const auto byte = static_cast<std::uint8_t>(text[at]);
      if ((byte & 0xC0) != 0x80) return false;
      point = (point << 6) | (byte & 0x3FU);
    }
    if (point < lead.least || !IsScalar(point)) return false;
    if (point == U'\n' && newlines_allowed-- > 0) continue;
    if (IsControl(point)) return false;
  }
  return true;
}

}  // namespace sealway
