/**
 * The whole-file seal: one value over the tags of all frames, kept incrementally.
 *
 * Layer: core. Spec: docs/spec/container-v1.md, section 6.
 * The same call adds a frame and takes it out again, since XOR is its own inverse: replacing a
 * frame is one call with the old tag and one with the new.
 */
import { concatBytes, xorInto } from './bytes.js';
import type { ContainerCrypto } from './crypto.js';
import { indexBytes } from './frame.js';
import type { FrameKeys } from './file-keys.js';

/** Adds the frame with this tag to `accumulator`, or takes it out, in place. Never for a hole. */
export function toggleTag(
  accumulator: Uint8Array,
  index: number,
  tag: Uint8Array,
  keys: FrameKeys,
  crypto: ContainerCrypto,
): void {
  xorInto(accumulator, crypto.hmacSha256(keys.sealKey, concatBytes(indexBytes(index), tag)));
}
