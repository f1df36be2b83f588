// Text in a head: well-formed UTF-8 without control characters.
//
// Layer: native container. Threads: pure functions.
// Attack: a label or preamble is shown on terminals before anything is authenticated; control
//   characters (C0, DEL and C1) would let a hostile file drive the terminal.
#ifndef SEALWAY_CONTAINER_TEXT_H_
#define SEALWAY_CONTAINER_TEXT_H_

#include <string_view>

namespace sealway {

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. Newlines (U+000A) up to
// `newlines_allowed` are let through, all other control characters refused.
[[nodiscard]] bool IsCleanText(std::string_view text, int newlines_allowed = 0) noexcept;

}  // namespace sealway

#endif  // SEALWAY_CONTAINER_TEXT_H_
