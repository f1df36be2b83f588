/**
 * Replaces a file's contents under all of its names, so that a reader sees the old bytes or the new
 * ones and a crash loses neither.
 *
 * Layer: agent.
 * Order of writes: temp file in the same directory (reserved name, O_EXCL, mode 0600), contents,
 *   owner, mode, other metadata, times, fsync of the temp file; then the check that the old file
 *   is what it was; then for each further name link(temp) and rename over it, and at last rename of
 *   the temp file over the first name, each followed by fsync of the directory.
 * A crash leaves: before the first rename, the old file and a temp file, which the next run
 *   deletes; between renames of a file with several names, some names with the old contents and
 *   some with the new (the next run does the rest; the names no longer share one inode).
 * Not here: what the new contents are. Node cannot copy extended attributes and ACLs: that is what
 *   `copyMetadata` is for. Times are kept to the
 *   microsecond, which is what Node's numbers can carry.
 */
import { constants, type BigIntStats } from 'node:fs';
import { link, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { fail, succeed, type Result } from '../../core/errors/result.js';
import { errnoOf, failFromThrown } from '../../platform/errno.js';
import { lstatIn, type DirectoryHandle } from './directory-handle.js';
import { forgetTempName, newTempName, type TempKind } from './temp-names.js';

/** One name of a file. */
export interface FileName {
  readonly directory: DirectoryHandle;
  readonly name: Buffer;
}

/**
 * Copies extended attributes and ACLs from one open file to another. The paths are of the form
 * `/proc/PID/fd/N`, which other processes of the same user can open too. A failure keeps the old
 * file in place.
 */
export type CopyMetadata = (fromPath: string, toPath: string) => Promise<Result<null>>;

/** Writes the new contents into the empty file `temp`. */
export type Produce<T> = (source: FileHandle, temp: FileHandle) => Promise<Result<T>>;

export interface ReplaceRequest<T> {
  /** The old file, open for reading. It stays open, also when its last name is gone. */
  readonly source: FileHandle;
  /** All its names in the folder; at least one. */
  readonly names: readonly [FileName, ...FileName[]];
  readonly kind: TempKind;
  readonly produce: Produce<T>;
  readonly copyMetadata?: CopyMetadata | undefined;
}

/** What was put in place: the answer of `produce`, and the old file's last state before. */
export interface Replaced<T> {
  readonly made: T;
  readonly before: BigIntStats;
  readonly newInode: bigint;
}

/**
 * Makes the replacement.
 *
 * @returns `E_FOLDER_FILE_CHANGED` when the old file changed meanwhile, what `produce` failed with,
 *   or the file system's failure. The old file is then in place under each name that was not yet
 *   replaced, and the temp file is gone.
 * @throws what `produce` throws; the temp file is gone then too.
 */
export async function replaceFile<T>(request: ReplaceRequest<T>): Promise<Result<Replaced<T>>> {
  const [first] = request.names;
  const temp: FileName = { directory: first.directory, name: newTempName(request.kind) };
  try {
    const before = await request.source.stat({ bigint: true });
    const made = await makeTemp(request, temp, before);
    if (!made.ok) return made;
    if (!(await isUnchanged(request, before))) return fail('E_FOLDER_FILE_CHANGED', 'changed');
    await putInPlace(request, temp);
    return succeed({ ...made.value, before });
  } catch (thrown) {
    return failFromThrown(thrown, 'replace');
  } finally {
    await removeTemp(temp);
  }
}

async function makeTemp<T>(
  { source, produce, copyMetadata }: ReplaceRequest<T>,
  temp: FileName,
  before: BigIntStats,
): Promise<Result<Omit<Replaced<T>, 'before'>>> {
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW;
  const handle = await open(temp.directory.at(temp.name), flags, 0o600);
  try {
    const made = await produce(source, handle);
    if (!made.ok) return made;
    await copyOwnerAndMode(handle, before);
    const copied = await copyMetadata?.(procPath(source), procPath(handle));
    if (copied?.ok === false) return copied;
    await handle.utimes(secondsOf(before.atimeNs), secondsOf(before.mtimeNs));
    await handle.sync();
    const newInode = (await handle.stat({ bigint: true })).ino;
    return succeed({ made: made.value, newInode });
  } finally {
    await handle.close();
  }
}

async function copyOwnerAndMode(handle: FileHandle, from: BigIntStats): Promise<void> {
  const own = await handle.stat({ bigint: true });
  // Without root only one's own files can be given the owner they have; changing it clears set-id
  // bits, so the mode comes after.
  if (own.uid !== from.uid || own.gid !== from.gid) {
    await handle.chown(Number(from.uid), Number(from.gid));
  }
  await handle.chmod(Number(from.mode & 0o7777n));
}

/** Node takes seconds as a number and cuts it down to whole microseconds: so aim at their middle. */
function secondsOf(nanoseconds: bigint): number {
  return (Number(nanoseconds / 1000n) + 0.5) / 1e6;
}

function procPath(handle: FileHandle): string {
  return `/proc/${String(process.pid)}/fd/${String(handle.fd)}`;
}

/** The change time too: it moves with every write, truncation, rename and new link. */
async function isUnchanged<T>(
  { source, names }: ReplaceRequest<T>,
  before: BigIntStats,
): Promise<boolean> {
  const now = await source.stat({ bigint: true });
  if (now.size !== before.size || now.mtimeNs !== before.mtimeNs) return false;
  if (now.ctimeNs !== before.ctimeNs) return false;
  for (const { directory, name } of names) {
    const there = await lstatIn(directory, name);
    if (there?.ino !== before.ino || there.dev !== before.dev) return false;
  }
  return true;
}

async function putInPlace<T>({ names, kind }: ReplaceRequest<T>, temp: FileName): Promise<void> {
  const [first, ...others] = names;
  const tempPath = temp.directory.at(temp.name);
  for (const { directory, name } of others) {
    const alias = newTempName(kind);
    try {
      await link(tempPath, directory.at(alias));
      await rename(directory.at(alias), directory.at(name));
      await directory.sync();
    } finally {
      await removeTemp({ directory, name: alias });
    }
  }
  await rename(tempPath, first.directory.at(first.name));
  await first.directory.sync();
}

/** Deletes a temp file that may be gone already. What cannot be deleted is the next run's. */
async function removeTemp({ directory, name }: FileName): Promise<void> {
  try {
    await rm(directory.at(name));
  } catch (thrown) {
    if (errnoOf(thrown) === undefined) throw thrown;
  } finally {
    forgetTempName(name);
  }
}
