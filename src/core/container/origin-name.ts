/**
 * The extension "origin name": under which base name a file was sealed. Information for people.
 *
 * Layer: core. Spec: docs/spec/container-v1.md, section 9.
 * A claim like all of the clear head, and never used as a path.
 */
import { decodeUtf8, encodeUtf8 } from './bytes.js';
import type { Extension } from './extensions.js';
import { EXTENSION_ORIGIN_NAME } from './format.js';

export function originNameExtension(baseName: string): Extension {
  return { type: EXTENSION_ORIGIN_NAME, value: encodeUtf8(baseName) };
}

/** The name, or `null` when there is none or it is no text. */
export function originNameOf(extensions: readonly Extension[]): string | null {
  const found = extensions.find(({ type }) => type === EXTENSION_ORIGIN_NAME);
  return found === undefined ? null : decodeUtf8(found.value);
}
