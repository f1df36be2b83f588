/**
 * Small operations on byte arrays which the format needs and the language lacks.
 *
 * Layer: core. No Node, no DOM: `TextDecoder` and `TextEncoder` are standard in every runtime that
 * Sealway has, but belong to no library that `core` compiles with; so they are declared here.
 */
declare const TextDecoder: new (
  encoding: 'utf-8',
  options: { fatal: true; ignoreBOM: true },
) => { decode(bytes: Uint8Array): string };
declare const TextEncoder: new () => { encode(text: string): Uint8Array };

/** UTF-8 bytes of `text`. A lone surrogate becomes U+FFFD: check with `isWellFormedText` first. */
export function encodeUtf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text, or `null` when the bytes are no valid UTF-8. A byte order mark is kept as text. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** True when every byte is zero. Every chunk of a sparse file comes through here: four at a time. */
export function isAllZero(bytes: Uint8Array): boolean {
  const before = Math.min((4 - (bytes.byteOffset % 4)) % 4, bytes.length);
  const words = Math.floor((bytes.length - before) / 4);
  const middle = new Uint32Array(bytes.buffer, bytes.byteOffset + before, words);
  return (
    isZeroRun(bytes.subarray(0, before)) &&
    isZeroRun(middle) &&
    isZeroRun(bytes.subarray(before + 4 * words))
  );
}

function isZeroRun(numbers: Uint8Array | Uint32Array): boolean {
  let at = 0;
  while (at < numbers.length && numbers[at] === 0) at++;
  return at === numbers.length;
}

/** Plain equality; not for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Equality whose time does not depend on where the first difference lies. */
export function equalSecret(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

/**
 * A copy of `bytes[start, end)` in memory of its own.
 *
 * Never `slice` here: Node's Buffer, which callers hand in, overrides it to share the memory, and
 * a shared secret would be wiped, or changed, under its holder.
 */
export function copyBytes(bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** XORs `other` into `target`, in place. */
export function xorInto(target: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] ?? 0) ^ (other[i] ?? 0);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
