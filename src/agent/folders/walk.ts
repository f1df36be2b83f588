/**
 * Walks a directory tree: every regular file once per name, without following symbolic links and
 * without leaving the mount.
 *
 * Layer: agent. Memory: the names of the directories on the way down, no more.
 */
import type { BigIntStats } from 'node:fs';
import { succeed, type AppError, type Result } from '../../core/errors/result.js';
import { failFromThrown } from '../../platform/errno.js';
import { type DirectoryHandle, lstatIn } from './directory-handle.js';
import { isTempName } from './temp-names.js';

/** One name of a regular file. */
export interface FileEntry {
  /** Held for the receiver of the entry, who releases it. */
  readonly directory: DirectoryHandle;
  readonly name: Buffer;
  /** All components below the root, the last being `name`. */
  readonly components: readonly Buffer[];
  /** For people and patterns: components joined by `/`; bytes that are no UTF-8 show as U+FFFD. */
  readonly path: string;
  readonly stats: BigIntStats;
  /** A name of ours: no document. */
  readonly temp: boolean;
}

/** A place that the walk could not enter, or something that is no regular file. */
export interface WalkGap {
  readonly path: string;
  readonly error: AppError;
}

export interface WalkListener {
  /** A directory or file that could not be looked at; the walk goes on. */
  readonly onGap: (gap: WalkGap) => void;
  /** Symbolic links, sockets, pipes, devices and other mounts, which are left alone. */
  readonly onOther: (path: string) => void;
}

/**
 * Yields the files below `root`. Each entry's directory is held for the receiver.
 *
 * @param skip - whether to leave out a file, by its path; directories are always entered.
 */
export async function* walkFiles(
  root: DirectoryHandle,
  skip: (path: string) => boolean,
  listener: WalkListener,
): AsyncGenerator<FileEntry> {
  yield* walkDirectory(root, [], { skip, listener, mountId: root.mountId });
}

interface WalkContext {
  readonly skip: (path: string) => boolean;
  readonly listener: WalkListener;
  readonly mountId: string;
}

async function* walkDirectory(
  directory: DirectoryHandle,
  above: readonly Buffer[],
  context: WalkContext,
): AsyncGenerator<FileEntry> {
  const names = await tryTo(pathOf(above), context, () => directory.names());
  for (const name of names ?? []) {
    const components = [...above, name];
    const path = pathOf(components);
    const temp = isTempName(name);
    const stats = await tryTo(path, context, () => lstatIn(directory, name));
    if (stats === null || stats === undefined) continue;
    if (stats.isFile()) {
      if (!temp && context.skip(path)) continue;
      yield { directory: directory.retain(), name, components, path, stats, temp };
    } else if (stats.isDirectory()) {
      yield* walkChild(directory, components, context);
    } else {
      context.listener.onOther(path);
    }
  }
}

async function* walkChild(
  directory: DirectoryHandle,
  components: readonly Buffer[],
  context: WalkContext,
): AsyncGenerator<FileEntry> {
  const name = components.at(-1) ?? Buffer.alloc(0);
  const path = pathOf(components);
  const child = await tryTo(path, context, () => directory.openChild(name));
  if (child === undefined) return;
  try {
    if (child.mountId === context.mountId) yield* walkDirectory(child, components, context);
    else context.listener.onOther(path);
  } finally {
    await child.release();
  }
}

async function tryTo<T>(
  path: string,
  { listener }: WalkContext,
  act: () => Promise<T>,
): Promise<T | undefined> {
  const done = await act().then(
    (value): Result<T> => succeed(value),
    (thrown: unknown) => failFromThrown(thrown, path),
  );
  if (done.ok) return done.value;
  listener.onGap({ path, error: done.error });
  return undefined;
}

export function pathOf(components: readonly Buffer[]): string {
  return components.map((name) => name.toString('utf8')).join('/');
}

/** The same way from the root, byte by byte: two paths may look alike and be different names. */
export function sameComponents(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  return a.length === b.length && a.every((name, i) => b[i]?.equals(name) === true);
}
