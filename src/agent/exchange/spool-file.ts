/**
 * A nameless temporary file: the bytes of one request, gone when it is closed or the agent dies.
 *
 * Layer: agent. Only sealed bytes are ever put here: `sealStream` writes them, or they arrived so.
 */
import { randomBytes } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** Opens a file of mode 0600 in `directory` and takes its name away at once. */
export async function openSpoolFile(directory: string): Promise<FileHandle> {
  const path = join(directory, `.spool-${randomBytes(8).toString('hex')}`);
  const handle = await open(path, 'wx+', 0o600);
  await rm(path);
  return handle;
}

/** Copies everything from `source`; returns the bytes written. Rejects with the system error. */
export async function fillSpool(
  handle: FileHandle,
  source: AsyncIterable<Buffer>,
): Promise<number> {
  let written = 0;
  for await (const chunk of source) {
    await handle.writev([chunk], written);
    written += chunk.length;
  }
  return written;
}

/** A stream of the file's bytes that closes the file at its end. */
export function drainSpool(handle: FileHandle): Readable {
  return handle.createReadStream({ start: 0 });
}
