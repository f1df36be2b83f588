/**
 * A directory held open, so that what is done in it happens in it.
 *
 * Layer: agent. The agent runs as root in folders that employees own. A path can be turned into
 * another by a symbolic link put in its middle at the right moment; a descriptor cannot. Node has
 * no openat(2): on Linux `/proc/self/fd/N/NAME` is the same thing, since the kernel starts at the
 * open directory and NAME is one component.
 * Names are bytes: files from old archives have names that are no UTF-8.
 * Elsewhere than on Linux plain paths are used, and the race is not closed.
 */
import { constants, type BigIntStats } from 'node:fs';
import { lstat, open, readFile, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../platform/errno.js';

const ON_LINUX = process.platform === 'linux';

/** An open directory, shared by reference count: opening gives one reference. */
export class DirectoryHandle {
  /** Which mount the directory lies on; the device number where the system tells no mounts. */
  readonly mountId: string;
  private readonly handle: FileHandle;
  private readonly fallbackPath: string;
  private references = 1;

  private constructor(handle: FileHandle, mountId: string, fallbackPath: string) {
    this.handle = handle;
    this.mountId = mountId;
    this.fallbackPath = fallbackPath;
  }

  /** Opens the directory at `path`, following links in it: the caller means this place. */
  static async openRoot(path: string): Promise<DirectoryHandle> {
    return DirectoryHandle.from(await open(path, constants.O_RDONLY | constants.O_DIRECTORY), path);
  }

  /** Opens the subdirectory `name`; rejects (ENOTDIR, ELOOP) when it is a symbolic link. */
  async openChild(name: Buffer): Promise<DirectoryHandle> {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
    const child = await open(this.at(name), flags);
    return DirectoryHandle.from(child, join(this.fallbackPath, name.toString('utf8')));
  }

  /** A path for one component `name` in this directory; good as long as the handle is open. */
  at(name: Buffer): Buffer {
    const parent = ON_LINUX ? `/proc/self/fd/${String(this.handle.fd)}` : this.fallbackPath;
    return Buffer.concat([Buffer.from(`${parent}/`), name]);
  }

  /** All names in it. The list is taken at once, so files made meanwhile do not show up. */
  async names(): Promise<readonly Buffer[]> {
    const self = this.at(Buffer.from('.'));
    const names = await readdir(self, { encoding: 'buffer' });
    return names.sort((a, b) => Buffer.compare(a, b));
  }

  /** Makes renames in it durable. */
  async sync(): Promise<void> {
    await this.handle.sync();
  }

  retain(): this {
    this.references++;
    return this;
  }

  async release(): Promise<void> {
    if (--this.references === 0) await this.handle.close();
  }

  private static async from(handle: FileHandle, path: string): Promise<DirectoryHandle> {
    try {
      return new DirectoryHandle(handle, await mountIdOf(handle), path);
    } catch (thrown) {
      await handle.close();
      throw thrown;
    }
  }
}

/**
 * The mount an open file lies on. Device numbers do not do: a bind mount has the device of what it
 * shows.
 */
export async function mountIdOf(handle: FileHandle): Promise<string> {
  if (!ON_LINUX) return String((await handle.stat({ bigint: true })).dev);
  const text = await readFile(`/proc/self/fdinfo/${String(handle.fd)}`, 'utf8');
  return /^mnt_id:\s*(\d+)$/m.exec(text)?.[1] ?? 'unknown';
}

/**
 * Opens a file for reading; rejects (ELOOP) when `name` is a symbolic link. A pipe that was put in
 * its place does not make the call wait.
 */
export function openFileIn(directory: DirectoryHandle, name: Buffer): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  return open(directory.at(name), flags);
}

/**
 * Opens the directory that `components` lead to, one component at a time and without following
 * links. The caller releases it.
 */
export async function openDescendant(
  root: DirectoryHandle,
  components: readonly Buffer[],
): Promise<DirectoryHandle> {
  let at = root.retain();
  for (const name of components) {
    try {
      const next = await at.openChild(name);
      await at.release();
      at = next;
    } catch (thrown) {
      await at.release();
      throw thrown;
    }
  }
  return at;
}

/** As lstat(2) of `name`; `null` when it is gone. */
export async function lstatIn(
  directory: DirectoryHandle,
  name: Buffer,
): Promise<BigIntStats | null> {
  try {
    return await lstat(directory.at(name), { bigint: true });
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return null;
    throw thrown;
  }
}
