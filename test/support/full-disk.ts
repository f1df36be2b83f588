/** Small and read-only stores in memory, and disk faults in files at rest. Needs root. */
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detachBelow } from './agent-under-test.js';
import { runProgram } from './run-program.js';
import type { TestUser } from './users.js';

/** A file system of `size` (as in `mount -o size=`), the user's; gone when `use` has ended. */
export async function withSmallStore<T>(
  size: string,
  user: TestUser,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'sealway-store-'));
  await runProgram('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', directory]);
  try {
    chownSync(directory, user.uid, user.gid);
    return await use(directory);
  } finally {
    await detachBelow(directory);
    await runProgram('umount', ['-l', directory]);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Takes all the room that is left but `spare` bytes. */
export async function fillUp(directory: string, spare: number): Promise<string> {
  const ran = await runProgram('df', ['--output=avail', '-B1', directory]);
  const room = Number(ran.stdout.trim().split('\n').at(-1));
  const path = join(directory, 'filler.tmp');
  writeFileSync(path, Buffer.alloc(Math.max(0, room - spare)));
  return path;
}

/** Turns one bit of the file at rest; a negative place counts from the end. */
export function flipBit(path: string, at: number): void {
  const bytes = readFileSync(path);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}
