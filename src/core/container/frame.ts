/**
 * One frame: a chunk of the document, sealed under the file's own key.
 *
 * Layer: core. Spec: docs/spec/container-v1.md, sections 5 and 6.
 * Not here: where a frame lies (`geometry.ts`), and which frames belong together
 *   (`accumulator.ts`): a frame alone cannot tell that it is an older one put back.
 */
import { fail, succeed, type AppError, type Result } from '../errors/result.js';
import { isAllZero, viewOf } from './bytes.js';
import type { ContainerCrypto } from './crypto.js';
import type { FrameKeys } from './file-keys.js';
import { FRAME_OVERHEAD_BYTES, ID_BYTES, NONCE_BYTES, TAG_BYTES } from './format.js';

/** A frame's plaintext, and whether the frame was a hole. */
export interface OpenedFrame {
  readonly plain: Uint8Array;
  readonly hole: boolean;
}

/**
 * Seals one chunk into `frame`, which is 28 bytes longer than `plain`.
 *
 * @throws RangeError when the sizes do not fit. That is a caller bug.
 */
export function sealFrameInto(
  frame: Uint8Array,
  index: number,
  plain: Uint8Array,
  nonce: Uint8Array,
  keys: FrameKeys,
  crypto: ContainerCrypto,
): void {
  if (plain.length === 0 || frame.length !== plain.length + FRAME_OVERHEAD_BYTES) {
    throw new RangeError('a frame is its chunk and 28 bytes, and no chunk is empty');
  }
  const sealed = crypto.aes256GcmSeal(keys.chunkKey, nonce, frameAad(keys.fileId, index), plain);
  frame.set(nonce, 0);
  frame.set(sealed.ciphertext, NONCE_BYTES);
  frame.set(sealed.tag, NONCE_BYTES + plain.length);
}

/**
 * Opens one frame. A hole gives zero bytes; the caller must know that the whole-file seal allows
 * it before it returns them.
 *
 * @returns `E_CONTAINER_CHUNK` naming the chunk; no plaintext then.
 */
export function openFrame(
  frame: Uint8Array,
  index: number,
  keys: FrameKeys,
  crypto: ContainerCrypto,
): Result<OpenedFrame, AppError<'E_CONTAINER_CHUNK'>> {
  const kind = frameKind(frame);
  if (kind === 'hole') {
    return succeed({ plain: new Uint8Array(frame.length - FRAME_OVERHEAD_BYTES), hole: true });
  }
  if (kind === 'impossible') return badChunk(index);
  const plain = crypto.aes256GcmOpen(
    keys.chunkKey,
    frame.subarray(0, NONCE_BYTES),
    frameAad(keys.fileId, index),
    {
      ciphertext: frame.subarray(NONCE_BYTES, frame.length - TAG_BYTES),
      tag: frameTag(frame),
    },
  );
  return plain === null ? badChunk(index) : succeed({ plain, hole: false });
}

/**
 * What a frame's bytes say without a key: `hole` is all zero, `impossible` has a zero nonce and a
 * zero tag around something else.
 */
export function frameKind(frame: Uint8Array): 'sealed' | 'hole' | 'impossible' {
  // The tag first: of a sealed frame it is zero once in 2^128 times, so this costs nothing.
  if (!isAllZero(frameTag(frame)) || !isAllZero(frame.subarray(0, NONCE_BYTES))) return 'sealed';
  return isAllZero(frame) ? 'hole' : 'impossible';
}

export function frameTag(frame: Uint8Array): Uint8Array {
  return frame.subarray(frame.length - TAG_BYTES);
}

/** `i` as the 8 bytes that associated data and accumulator use. */
export function indexBytes(index: number): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setBigUint64(0, BigInt(index), true);
  return bytes;
}

function frameAad(fileId: Uint8Array, index: number): Uint8Array {
  const aad = new Uint8Array(ID_BYTES + 8);
  aad.set(fileId, 0);
  aad.set(indexBytes(index), ID_BYTES);
  return aad;
}

function badChunk(index: number): ReturnType<typeof fail<'E_CONTAINER_CHUNK'>> {
  return fail('E_CONTAINER_CHUNK', `chunk ${String(index)}`);
}
