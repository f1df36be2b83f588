/**
 * The agent's state directory and what lies in it.
 *
 * Layer: agent. Ordinary users may pass through it (0711) to their own socket and profile; everything
 * else is the agent's alone. Another agent on the same directory is refused by the lock.
 *
 * ```
 * trail.db, keys.*, folders.json   the agent's alone, 0600
 * run/                             sockets; run/sealfs: control sockets of the file systems
 * spool/                           events and redo files of the file systems
 * log/                             their log lines
 * profiles/UID                     profile folders of sealed sessions
 * ```
 */
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { succeed, type Result } from '../core/errors/result.js';
import { errnoOf, failFromThrown } from '../platform/errno.js';

const PASSABLE = 0o711;
const PRIVATE = 0o700;

const DIRECTORIES: readonly (readonly [name: string, mode: number])[] = [
  ['.', PASSABLE],
  ['run', PASSABLE],
  ['run/sealfs', PRIVATE],
  ['spool', PRIVATE],
  ['log', PRIVATE],
  ['profiles', PASSABLE],
];

/** Makes what is missing and sets the modes. */
export async function prepareStateDirectory(stateDirectory: string): Promise<Result<void>> {
  try {
    for (const [name, mode] of DIRECTORIES) {
      const path = join(stateDirectory, name);
      await makeDirectory(path, mode);
      await chmod(path, mode);
    }
    return succeed(undefined);
  } catch (thrown) {
    return failFromThrown(thrown, `state directory ${stateDirectory}`);
  }
}

/** A recursive mkdir calls every failure ENOENT: parents are made only where they are missing. */
async function makeDirectory(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (thrown) {
    const errno = errnoOf(thrown);
    if (errno === 'ENOENT') await mkdir(path, { recursive: true, mode });
    else if (errno !== 'EEXIST') throw thrown;
  }
}
