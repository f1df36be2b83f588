/** Folders full of files, and what is in them, for tests of sealing. */
import { createHash } from 'node:crypto';
import { lstat, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { verifySealed } from '#src/platform/container/open-sealed.js';
import { keyLookup, TEST_DEVICE } from './container-samples.js';

/** Options of the sealing functions which every test shares. */
export const FOLDER_SEAL = {
  label: 'internal',
  area: 'dispatch',
  epoch: 1,
  keyFor: keyLookup(),
  deviceId: TEST_DEVICE,
} as const;

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Bytes that are different for each seed and hold a marker that a search finds. */
export function documentBytes(seed: number, size: number): Buffer {
  const line = Buffer.from(`PLAINTEXT-MARKER ${String(seed)} waybill `);
  return Buffer.alloc(size, line);
}

export async function writeFiles(root: string, files: Record<string, Buffer>): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), bytes);
  }
}

/** All regular files below `root`, by relative path. */
export async function listFiles(root: string, below = ''): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of (await readdir(join(root, below))).sort()) {
    const path = below === '' ? name : `${below}/${name}`;
    const stats = await lstat(join(root, path));
    if (stats.isDirectory()) found.push(...(await listFiles(root, path)));
    if (stats.isFile()) found.push(path);
  }
  return found;
}

/** Digest of each document: of a sealed file's contents, else `plain:` and that of its bytes. */
export async function documentDigests(root: string): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const path of await listFiles(root)) {
    const sealed = await verifySealed(join(root, path), keyLookup());
    digests[path] = sealed.ok
      ? sealed.value.plainSha256
      : `plain:${sha256(await readFile(join(root, path)))}`;
  }
  return digests;
}

/** What `documentDigests` must give once these files are sealed. */
export function expectedDigests(files: Record<string, Buffer>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, sha256(bytes)]));
}
