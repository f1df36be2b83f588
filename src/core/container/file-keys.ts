/**
 * The keys of one sealed file, derived as the specification says.
 *
 * Layer: core. Spec: docs/spec/container-v1.md, section 4.
 * Lifetime: whoever derives keys zeroes them with `wipe` when done.
 */
import type { ContainerCrypto } from './crypto.js';
import { KEY_BYTES } from './format.js';

/** Under what the frames of one file are sealed and counted. */
export interface FrameKeys {
  readonly fileId: Uint8Array;
  readonly chunkKey: Uint8Array;
  readonly sealKey: Uint8Array;
}

/** The key that encrypts the head's secret. @param labelKey - 32 bytes of the key authority. */
export function deriveHeaderKey(
  labelKey: Uint8Array,
  fileId: Uint8Array,
  crypto: ContainerCrypto,
): Uint8Array {
  return crypto.hkdfSha256(labelKey, fileId, 'sealway/1 header', KEY_BYTES);
}

/** The keys of the frames. @param fileKey - the 32 random bytes that the head's secret holds. */
export function deriveFrameKeys(
  fileKey: Uint8Array,
  fileId: Uint8Array,
  crypto: ContainerCrypto,
): FrameKeys {
  return {
    fileId,
    chunkKey: crypto.hkdfSha256(fileKey, fileId, 'sealway/1 chunk', KEY_BYTES),
    sealKey: crypto.hkdfSha256(fileKey, fileId, 'sealway/1 seal', KEY_BYTES),
  };
}

/** Zeroes key material. Copies that a runtime made on its own are out of reach. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}

export function wipeFrameKeys(keys: FrameKeys): void {
  wipe(keys.chunkKey, keys.sealKey);
}
