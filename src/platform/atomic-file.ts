/**
 * Writes a file so that a reader sees the old bytes or the new ones, never a mixture.
 *
 * Layer: platform.
 * Order of writes: temp file in the same directory (O_EXCL), bytes, fsync of the temp file,
 *   rename over the target, fsync of the directory. A crash before the rename leaves the old file
 *   and perhaps a `.NAME.PID.RANDOM.tmp`, which nobody reads (`removeStaleTemps` deletes those);
 *   a crash after it leaves the new file. An error removes the temp file.
 * Not here: what is written; owner changes; atomic replacement across file systems.
 */
import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { succeed, type Result } from '../core/errors/result.js';
import { failFromThrown } from './errno.js';

/** What may be written: everything at once, or piece by piece. */
export type Bytes = Uint8Array | string | AsyncIterable<Uint8Array>;

export interface AtomicWriteOptions {
  /** Permission bits of the new file, applied whatever the umask says. Default 0o600. */
  readonly mode?: number;
}

const TEMP_NAME = /^\..+\.\d+\.[0-9a-f]{12}\.tmp$/;

/**
 * Replaces (or creates) `path` with `bytes`, atomically and durably.
 *
 * @returns the number of bytes written. Any failure of the file system comes back by its code
 *   (`E_DISK_FULL`, `E_READ_ONLY`, `E_NO_PERMISSION`, …) and leaves the old file as it was.
 * @throws whatever a stream in `bytes` throws that is no system error; the temp file is removed.
 */
export async function writeFileAtomic(
  path: string,
  bytes: Bytes,
  options: AtomicWriteOptions = {},
): Promise<Result<number>> {
  const temp = tempNameFor(path);
  try {
    const written = await writeDurably(temp, bytes, options.mode ?? 0o600);
    await rename(temp, path);
    await syncDirectory(dirname(path));
    return succeed(written);
  } catch (thrown) {
    await rm(temp, { force: true }).catch(() => undefined);
    return failFromThrown(thrown, `write ${basename(path)}`);
  }
}

/** Makes the names in `directory` durable. Rejects with the system error. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Deletes temp files that crashed writers left in `directory`; returns how many.
 *
 * Call it only while nobody else writes there (under the state lock).
 */
export async function removeStaleTemps(directory: string): Promise<number> {
  const names = (await readdir(directory)).filter((name) => TEMP_NAME.test(name));
  for (const name of names) await rm(join(directory, name), { force: true });
  return names.length;
}

function tempNameFor(path: string): string {
  const tag = `${String(process.pid)}.${randomBytes(6).toString('hex')}`;
  // A name of 255 bytes leaves no room for the tag; the temp file need not carry all of it.
  return join(dirname(path), `.${basename(path).slice(0, 48)}.${tag}.tmp`);
}

async function writeDurably(path: string, bytes: Bytes, mode: number): Promise<number> {
  const handle = await open(path, 'wx', mode);
  try {
    await handle.chmod(mode);
    const written = await writeAll(handle, bytes);
    await handle.sync();
    return written;
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, bytes: Bytes): Promise<number> {
  if (typeof bytes === 'string' || bytes instanceof Uint8Array) {
    const whole = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
    await handle.writeFile(whole);
    return whole.byteLength;
  }
  let written = 0;
  for await (const chunk of bytes) {
    // FileHandle.writeFile repeats short writes, and appends from the current position.
    await handle.writeFile(chunk);
    written += chunk.byteLength;
  }
  return written;
}
