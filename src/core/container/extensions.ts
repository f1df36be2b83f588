/**
 * Extensions of a slot: `type (2) ‖ length (2) ‖ value`, in the order they were written.
 *
 * Layer: core. Spec: docs/spec/container-v1.md, section 9.
 * Types that this version does not know are values like the others, so a rewrite keeps them.
 */
import { fail, succeed, type AppError, type Result } from '../errors/result.js';
import { concatBytes, copyBytes, viewOf } from './bytes.js';
import { MAX_EXTENSION_BYTES } from './format.js';

export interface Extension {
  /** 0x0001 to 0x7FFF are the specification's, 0x8000 to 0xFFFF the tenant's. */
  readonly type: number;
  readonly value: Uint8Array;
}

const ENTRY_HEAD_BYTES = 4;

/**
 * Reads the sequence that fills `bytes` exactly.
 *
 * @returns `E_CONTAINER_HEADER` when an entry runs past the end or a type comes twice.
 */
export function parseExtensions(
  bytes: Uint8Array,
): Result<readonly Extension[], AppError<'E_CONTAINER_HEADER'>> {
  const extensions: Extension[] = [];
  const seen = new Set<number>();
  const view = viewOf(bytes);
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < ENTRY_HEAD_BYTES) return damaged('an entry is cut');
    const type = view.getUint16(at, true);
    const end = at + ENTRY_HEAD_BYTES + view.getUint16(at + 2, true);
    if (end > bytes.length) return damaged('an entry runs past the end');
    if (seen.has(type)) return damaged(`type ${String(type)} comes twice`);
    seen.add(type);
    extensions.push({ type, value: copyBytes(bytes, at + ENTRY_HEAD_BYTES, end) });
    at = end;
  }
  return succeed(extensions);
}

/**
 * Builds the sequence.
 *
 * @throws RangeError when a type is out of range or comes twice, or the whole exceeds 1024 bytes.
 *   That is a caller bug.
 */
export function buildExtensions(extensions: readonly Extension[]): Uint8Array {
  const types = new Set(extensions.map(({ type }) => type));
  if (types.size !== extensions.length) throw new RangeError('an extension type comes twice');
  const bytes = concatBytes(...extensions.map(buildEntry));
  if (bytes.length > MAX_EXTENSION_BYTES) {
    throw new RangeError(`extensions take ${String(bytes.length)} bytes, 1024 are allowed`);
  }
  return bytes;
}

function buildEntry({ type, value }: Extension): Uint8Array {
  if (!Number.isInteger(type) || type < 0 || type > 0xffff) {
    throw new RangeError(`extension type ${String(type)} is out of range`);
  }
  const entry = new Uint8Array(ENTRY_HEAD_BYTES + value.length);
  viewOf(entry).setUint16(0, type, true);
  viewOf(entry).setUint16(2, value.length, true);
  entry.set(value, ENTRY_HEAD_BYTES);
  return entry;
}

function damaged(what: string): ReturnType<typeof fail<'E_CONTAINER_HEADER'>> {
  return fail('E_CONTAINER_HEADER', `extensions: ${what}`);
}
