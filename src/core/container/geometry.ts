/**
 * Container geometry: where each frame of a sealed file lies on disk, and how sizes translate.
 *
 * Layer: core. Pure arithmetic on byte counts; no I/O, no keys, no clock.
 * Spec: docs/spec/container-v1.md, section 5 ("Frames"). Change the spec first.
 * Not here: encryption (`frame.ts`) and head parsing (`head.ts`).
 */
import { fail, succeed, type AppError, type Result } from '../errors/result.js';
import { FRAME_OVERHEAD_BYTES, HEAD_BYTES } from './format.js';

/** Plaintext bytes in a full frame. @param chunkSizeLog2 - 12 to 20, checked by the caller. */
export function chunkSize(chunkSizeLog2: number): number {
  return 2 ** chunkSizeLog2;
}

/** Disk bytes of a full frame. */
export function frameSize(chunkSizeLog2: number): number {
  return chunkSize(chunkSizeLog2) + FRAME_OVERHEAD_BYTES;
}

/** Disk offset of frame `index` (from 0). */
export function frameOffset(chunkSizeLog2: number, index: number): number {
  return HEAD_BYTES + index * frameSize(chunkSizeLog2);
}

/** How many frames a document of `plainSize` bytes has; none for an empty one. */
export function frameCount(chunkSizeLog2: number, plainSize: number): number {
  return Math.ceil(plainSize / chunkSize(chunkSizeLog2));
}

/**
 * Size on disk of a sealed file that holds `plainSize` bytes.
 *
 * @throws RangeError if `plainSize` is negative or not a safe integer. That is a caller bug.
 */
export function diskSizeOf(chunkSizeLog2: number, plainSize: number): number {
  requireByteCount(plainSize, 'plainSize');
  return HEAD_BYTES + plainSize + frameCount(chunkSizeLog2, plainSize) * FRAME_OVERHEAD_BYTES;
}

/**
 * Plain size of a sealed file, worked out from its size on disk, in O(1).
 *
 * The answer is a claim until the last frame has been authenticated: use it to report a size,
 * never to decide that a file is complete. A file cut exactly between two frames passes here; the
 * whole-file seal tells.
 *
 * @returns `E_CONTAINER_SHORT` below the head's size; `E_CONTAINER_TRUNCATED` if the last frame is
 *   too short to hold its nonce, its tag and one byte.
 * @throws RangeError if `diskSize` is negative or not a safe integer. That is a caller bug.
 */
export function plainSizeOf(
  chunkSizeLog2: number,
  diskSize: number,
): Result<number, AppError<'E_CONTAINER_SHORT' | 'E_CONTAINER_TRUNCATED'>> {
  requireByteCount(diskSize, 'diskSize');
  if (diskSize < HEAD_BYTES) return fail('E_CONTAINER_SHORT', `${String(diskSize)} bytes on disk`);
  const body = diskSize - HEAD_BYTES;
  const full = Math.floor(body / frameSize(chunkSizeLog2));
  const rest = body % frameSize(chunkSizeLog2);
  // No frame carries zero bytes, so each plain size has exactly one size on disk.
  if (rest > 0 && rest <= FRAME_OVERHEAD_BYTES) {
    return fail('E_CONTAINER_TRUNCATED', `the last frame has ${String(rest)} bytes`);
  }
  const last = rest === 0 ? 0 : rest - FRAME_OVERHEAD_BYTES;
  return succeed(full * chunkSize(chunkSizeLog2) + last);
}

function requireByteCount(count: number, name: string): void {
  if (Number.isSafeInteger(count) && count >= 0) return;
  throw new RangeError(`${name} must be a safe integer of 0 or more, not ${String(count)}`);
}
