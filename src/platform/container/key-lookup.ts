/**
 * How the container asks for a label key, and what it does with it.
 *
 * Layer: platform. Spec: docs/spec/container-v1.md, sections 4 and 7 (step 5).
 * Not here: where keys live (the agent's key authority).
 */
import { KEY_BYTES } from '../../core/container/format.js';
import { wipe } from '../../core/container/file-keys.js';
import { fail, type AppError, type Result } from '../../core/errors/result.js';

/** The name of a label key. */
export interface KeyName {
  readonly area: string;
  readonly label: string;
  readonly epoch: number;
}

/**
 * Gives the 32 bytes of a label key, or the reason why not.
 *
 * The answer must be a copy of its own: whoever asked zeroes it as soon as the file's keys have
 * been derived.
 */
export type KeyLookup = (name: KeyName) => Result<Uint8Array> | Promise<Result<Uint8Array>>;

/**
 * Looks the key up, hands it to `use`, and zeroes it.
 *
 * @returns what `use` returned, or `E_CONTAINER_KEY` with the key authority's reason as cause.
 * @throws RangeError when the key has not 32 bytes. That is a bug of the key authority.
 */
export async function withLabelKey<T>(
  lookup: KeyLookup,
  name: KeyName,
  use: (labelKey: Uint8Array) => T,
): Promise<T | { readonly ok: false; readonly error: AppError<'E_CONTAINER_KEY'> }> {
  const found = await lookup(name);
  if (!found.ok) {
    const which = `${name.area}/${name.label}/${String(name.epoch)}`;
    return fail('E_CONTAINER_KEY', `no key ${which}: ${found.error.code}`, found.error);
  }
  try {
    if (found.value.length !== KEY_BYTES) throw new RangeError('a label key has 32 bytes');
    return use(found.value);
  } finally {
    wipe(found.value);
  }
}
