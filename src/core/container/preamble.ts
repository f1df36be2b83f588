/**
 * The first 512 bytes: a line that a person reads who opens a sealed file in a text editor.
 *
 * Layer: core. Spec: docs/spec/container-v1.md, section 2. Readers never interpret the text.
 */
import { encodeUtf8 } from './bytes.js';
import { MAGIC, MAGIC_BYTES, PREAMBLE_BYTES } from './format.js';

export const DEFAULT_PREAMBLE_TEXT =
  'This file is sealed by Sealway. It opens only for people whom its owner allows: ' +
  'ask the sender or your IT desk, or see sealway info.';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const TEXT_OFFSET = MAGIC_BYTES + 1;
const TEXT_BYTES = 502;

/**
 * Builds the preamble around `text`, which gets a newline behind it.
 *
 * @throws RangeError when the text is longer than 501 bytes or holds a control character. That is
 *   a caller bug: whoever lets people choose the text checks it first.
 */
export function buildPreamble(text: string = DEFAULT_PREAMBLE_TEXT): Uint8Array {
  const encoded = encodeUtf8(`${text}\n`);
  if (encoded.length > TEXT_BYTES || /\p{Cc}/u.test(text)) {
    throw new RangeError('the preamble text is too long or holds a control character');
  }
  const preamble = new Uint8Array(PREAMBLE_BYTES).fill(SPACE);
  preamble.set(encodeUtf8(MAGIC), 0);
  preamble.set(encoded, TEXT_OFFSET);
  preamble[PREAMBLE_BYTES - 1] = NEWLINE;
  return preamble;
}

/** True when `bytes` (8 or more) begin as a sealed file does. */
export function hasMagic(bytes: Uint8Array): boolean {
  if (bytes.length < MAGIC_BYTES) return false;
  return encodeUtf8(MAGIC).every((byte, i) => bytes[i] === byte);
}
