/** Seals bytes into a file and opens them again, for tests. */
import { open, writeFile } from 'node:fs/promises';
import { openSealed, type OpenedSealedFile } from '#src/platform/container/open-sealed.js';
import {
  sealStream,
  type SealOptions,
  type SealedSummary,
} from '#src/platform/container/seal-stream.js';
import type { AppError, Result } from '#src/core/errors/result.js';
import { TEST_DEVICE, keyLookup } from './container-samples.js';

/** `bytes` in pieces of uneven sizes, as streams come. */
export async function* inPieces(bytes: Uint8Array, piece = 7001): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += piece) {
    yield await Promise.resolve(bytes.subarray(at, at + piece));
  }
}

export async function sealBytes(
  path: string,
  bytes: Uint8Array,
  options: Partial<SealOptions> = {},
): Promise<SealedSummary> {
  const handle = await open(path, 'w+');
  const names = { label: 'internal', area: 'dispatch', epoch: 1, deviceId: TEST_DEVICE };
  const whole: SealOptions = { ...names, durability: 'none', ...options };
  const sealed = await sealStream(inPieces(bytes), handle, whole, keyLookup());
  await handle.close();
  if (!sealed.ok) throw new Error(`${sealed.error.code}: ${sealed.error.detail}`);
  return sealed.value;
}

/** How an attempt to read a whole sealed file ended. */
export interface Reading {
  readonly plain: Buffer;
  readonly error: AppError | null;
  readonly findings: readonly string[];
}

export async function readSealed(path: string, lookup = keyLookup()): Promise<Reading> {
  const opened: Result<OpenedSealedFile> = await openSealed(path, lookup);
  if (!opened.ok) return { plain: Buffer.alloc(0), error: opened.error, findings: [] };
  const pieces: Uint8Array[] = [];
  let error: AppError | null = null;
  for await (const chunk of opened.value.chunks()) {
    if (chunk.ok) pieces.push(chunk.value);
    else error = chunk.error;
  }
  await opened.value.close();
  return { plain: Buffer.concat(pieces), error, findings: opened.value.findings };
}

/** Writes `bytes` to `path` and reads them as a sealed file. */
export async function readAsSealed(path: string, bytes: Uint8Array): Promise<Reading> {
  await writeFile(path, bytes);
  return readSealed(path);
}
