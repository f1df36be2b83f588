/**
 * From the executables of the application list to those of this machine: device, inode, ctime.
 *
 * Layer: agent. sealfs compares these three with `/proc/PID/exe`, so a copied or renamed program,
 * or one that was written to, is another program. An executable that others could change is left
 * out with a warning: whoever can change it could read every file that it may open.
 * Attack: a directory on the way that others may write lets them put another file in its place.
 */
import { createHash } from 'node:crypto';
import { constants, type BigIntStats } from 'node:fs';
import { open, realpath, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Executable } from '../../core/policy/applications-file.js';
import type { PolicySet } from '../../core/policy/policy-set.js';
import type { TableExecutable } from '../../core/policy/verdict-table.js';
import { errnoOf } from '../../platform/errno.js';

export type ExecutableWarningCode =
  | 'missing'
  | 'unreadable'
  | 'not-a-program'
  | 'not-owned-by-root'
  | 'writable-by-others'
  | 'directory-not-safe'
  | 'digest-differs';

/** Why a listed executable does not count on this machine. */
export interface ExecutableWarning {
  readonly application: string;
  readonly path: string;
  readonly code: ExecutableWarningCode;
  readonly detail: string;
}

export interface ResolvedExecutables {
  readonly executables: readonly TableExecutable[];
  readonly warnings: readonly ExecutableWarning[];
}

interface Refusal {
  readonly code: ExecutableWarningCode;
  readonly detail: string;
}

const WRITABLE_BY_OTHERS = 0o022n;

function isRefusal(value: BigIntStats | Refusal): value is Refusal {
  return 'code' in value;
}

/** Owner root and no write bit for others; POSIX ACLs show in the group bits. */
function unsafe(stats: BigIntStats): ExecutableWarningCode | null {
  if (stats.uid !== 0n) return 'not-owned-by-root';
  return (stats.mode & WRITABLE_BY_OTHERS) === 0n ? null : 'writable-by-others';
}

/** The first directory above `path` that somebody else than root could change; `null` if none. */
async function unsafeDirectory(path: string): Promise<string | null> {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    const stats = await stat(directory, { bigint: true });
    if (unsafe(stats) !== null) return directory;
    if (directory === '/') return null;
  }
}

async function sha256Of(file: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of file.createReadStream({ autoClose: false, start: 0 })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}

/** By digest: the bytes count, whoever owns them. ctime before and after: nobody wrote meanwhile. */
async function checkDigest(file: FileHandle, digest: string): Promise<BigIntStats | Refusal> {
  const before = await file.stat({ bigint: true });
  const found = `sha256:${await sha256Of(file)}`;
  const after = await file.stat({ bigint: true });
  if (found !== digest) return { code: 'digest-differs', detail: `it has ${found}` };
  if (before.ctimeNs !== after.ctimeNs)
    return { code: 'digest-differs', detail: 'it was being written to' };
  return after;
}

async function checkOwner(
  file: FileHandle,
  path: string,
  real: string,
): Promise<BigIntStats | Refusal> {
  const stats = await file.stat({ bigint: true });
  const loose = unsafe(stats);
  if (loose !== null) return { code: loose, detail: real };
  const directory = (await unsafeDirectory(path)) ?? (await unsafeDirectory(real));
  return directory === null ? stats : { code: 'directory-not-safe', detail: directory };
}

async function inspect(executable: Executable): Promise<BigIntStats | Refusal> {
  const real = await realpath(executable.path);
  // O_NONBLOCK: a named pipe in the list must not hang the agent.
  const file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile() || (stats.mode & 0o111) === 0)
      return { code: 'not-a-program', detail: real };
    return 'digest' in executable
      ? await checkDigest(file, executable.digest)
      : await checkOwner(file, executable.path, real);
  } finally {
    await file.close();
  }
}

async function inspectSafely(executable: Executable): Promise<BigIntStats | Refusal> {
  try {
    return await inspect(executable);
  } catch (fault) {
    const errno = errnoOf(fault);
    if (errno === undefined) throw fault;
    const gone = errno === 'ENOENT' || errno === 'ENOTDIR';
    return { code: gone ? 'missing' : 'unreadable', detail: errno };
  }
}

/** Looks at every executable of the set. Needs no rights beyond reading program files. */
export async function resolveExecutables(
  set: Pick<PolicySet, 'applications'>,
): Promise<ResolvedExecutables> {
  const executables: TableExecutable[] = [];
  const warnings: ExecutableWarning[] = [];
  for (const { id: application, executables: listed } of set.applications.applications) {
    if (listed === '*') continue;
    for (const executable of listed) {
      const { path } = executable;
      const found = await inspectSafely(executable);
      if (isRefusal(found)) warnings.push({ application, path, ...found });
      else {
        const [dev, ino, ctimeNs] = [found.dev, found.ino, found.ctimeNs].map(String);
        executables.push({
          application,
          path,
          dev: dev ?? '',
          ino: ino ?? '',
          ctimeNs: ctimeNs ?? '',
        });
      }
    }
  }
  return { executables, warnings };
}
