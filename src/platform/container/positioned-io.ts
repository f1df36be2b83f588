/**
 * Reads and writes at a given offset which move all bytes or say why not.
 *
 * Layer: platform. A FileHandle's own calls may move fewer bytes than asked for.
 */
import type { FileHandle } from 'node:fs/promises';

/**
 * Fills `target` from `position` on.
 *
 * @returns how many bytes were there; fewer than asked for only at the end of the file.
 */
export async function readAt(
  handle: FileHandle,
  target: Uint8Array,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const rest = target.length - done;
    const { bytesRead } = await handle.read(target, done, rest, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** Writes all of `bytes` at `position`. Rejects with the system error. */
export async function writeAt(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const rest = bytes.length - done;
    const { bytesWritten } = await handle.write(bytes, done, rest, position + done);
    done += bytesWritten;
  }
}
