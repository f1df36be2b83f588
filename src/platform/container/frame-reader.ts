/**
 * Reads the frames of a sealed file in order, about 1 MiB at a time.
 *
 * Layer: platform. Spec: docs/spec/container-v1.md, section 5.
 * Not here: what the bytes mean.
 */
import type { FileHandle } from 'node:fs/promises';
import { HEAD_BYTES } from '../../core/container/format.js';
import { diskSizeOf, frameOffset, frameSize } from '../../core/container/geometry.js';
import { fail, succeed, type AppError, type Result } from '../../core/errors/result.js';
import { readAt } from './positioned-io.js';

/** One frame as it lies on disk. Valid until the next one is asked for. */
export interface DiskFrame {
  readonly index: number;
  readonly frame: Uint8Array;
}

const BATCH_BYTES = 2 ** 20;

/**
 * Yields every frame of a file that holds `plainSize` bytes.
 *
 * `E_CONTAINER_TRUNCATED` comes last when the file has become shorter since. Rejects with the
 * system error.
 */
export async function* readFrames(
  handle: FileHandle,
  { chunkSizeLog2, plainSize }: { readonly chunkSizeLog2: number; readonly plainSize: number },
): AsyncGenerator<Result<DiskFrame, AppError<'E_CONTAINER_TRUNCATED'>>> {
  const size = frameSize(chunkSizeLog2);
  const diskEnd = diskSizeOf(chunkSizeLog2, plainSize);
  const bytesLeft = diskEnd - HEAD_BYTES;
  const batch = new Uint8Array(
    Math.min(bytesLeft, Math.max(1, Math.floor(BATCH_BYTES / size)) * size),
  );
  let index = 0;
  while (frameOffset(chunkSizeLog2, index) < diskEnd) {
    const offset = frameOffset(chunkSizeLog2, index);
    const want = batch.subarray(0, Math.min(batch.length, diskEnd - offset));
    if ((await readAt(handle, want, offset)) < want.length) {
      yield fail('E_CONTAINER_TRUNCATED', 'the file became shorter while it was read');
      return;
    }
    for (let at = 0; at < want.length; at += size) {
      yield succeed({ index, frame: want.subarray(at, Math.min(at + size, want.length)) });
      index++;
    }
  }
}
