/**
 * Places in source text: UTF-8 byte offsets, UTF-16 offsets, lines and columns.
 *
 * Layer: core. Cedar counts bytes, JavaScript counts UTF-16 units, people count lines and
 * characters; messages in Chinese and Japanese make the three differ.
 */

/** A line and a column, both from 1; the column counts characters (code points). */
export interface LineColumn {
  readonly line: number;
  readonly column: number;
}

function utf8Length(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}

/** Length of `text` in UTF-8 bytes. A lone surrogate counts three, as its replacement would. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) bytes += utf8Length(character.codePointAt(0) ?? 0);
  return bytes;
}

/** UTF-16 offset of the character at UTF-8 offset `byteOffset`; the end when beyond it. */
export function utf16Offset(text: string, byteOffset: number): number {
  let bytes = 0;
  let units = 0;
  for (const character of text) {
    if (bytes >= byteOffset) return units;
    bytes += utf8Length(character.codePointAt(0) ?? 0);
    units += character.length;
  }
  return units;
}

/** Line and column of a UTF-16 offset; an offset beyond the end is the end. */
export function lineColumn(text: string, offset: number): LineColumn {
  const before = text.slice(0, Math.max(0, offset));
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  return { line, column: Array.from(before.slice(lineStart)).length + 1 };
}
