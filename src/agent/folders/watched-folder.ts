/**
 * Seals files as they appear in a folder: the engine for machines without FUSE.
 *
 * Layer: agent. A file is taken when nothing has been heard of it for `settleMs`, its modification
 * time is at least that old and no other process has it open for writing. How it is sealed, the
 * order of writes and what a crash leaves: `file-sealer.ts`, `file-replacer.ts`.
 * Between appearing and settling a file lies there in the clear: that is what this mode is weaker
 * in than a mounted folder.
 * Not here: files that were there before are sealed too (they count as appearing), but leftovers
 * of killed runs and files with several names are the business of `seal-directory.ts`: run it first.
 */
import { relative, sep } from 'node:path';
import { watch, type FSWatcher } from 'chokidar';
import type { ErrorCode } from '../../core/errors/catalogue.js';
import { succeed, type AppError, type Result } from '../../core/errors/result.js';
import { failFromThrown } from '../../platform/errno.js';
import { lstatIn, openDescendant, type DirectoryHandle } from './directory-handle.js';
import { sealFile, type FolderSeal, type SealedEvent, type SealOutcome } from './file-sealer.js';
import { openRoot } from './folder-run.js';
import { LateWriters } from './late-writers.js';
import { WriterWatch } from './open-writers.js';
import { SettleQueue } from './settle-queue.js';
import { isTempName } from './temp-names.js';

export interface WatchFolderOptions extends FolderSeal {
  readonly exclude?: ((path: string) => boolean) | undefined;
  /** How long a file must have been left alone; default 2000. */
  readonly settleMs?: number | undefined;
  readonly onSealed?: ((event: SealedEvent) => void) | undefined;
  /** A file that was not sealed, and why. Those that may succeed later are tried again. */
  readonly onFinding?: ((path: string, error: AppError) => void) | undefined;
  /** The watch itself has failed, for the whole folder or a part of it. */
  readonly onWatchError?: ((error: unknown) => void) | undefined;
}

/** A folder that is being watched. */
export interface WatchedFolder {
  /** Resolves when nothing waits and nothing is being sealed. */
  whenIdle(): Promise<void>;
  /** Stops watching, finishes the files that are being sealed, and releases the folder. */
  close(): Promise<void>;
}

const DEFAULT_SETTLE_MS = 2000;
const RETRY_LATER_MS = 30_000;
const WORKERS = 2;

/** Being written: the wait starts again, and nobody is told. */
const RETRY_SOON: readonly ErrorCode[] = ['E_FOLDER_FILE_IN_USE', 'E_FOLDER_FILE_CHANGED'];
/** Not the file's fault: told, and tried again. */
const RETRY_LATER: readonly ErrorCode[] = [
  'E_DISK_FULL',
  'E_READ_ONLY',
  'E_CONTAINER_KEY',
  'E_TOO_MANY_OPEN',
];

/**
 * Starts watching `path`. Resolves when the files that are there have been seen.
 *
 * @returns `E_FOLDER_NOT_FOUND`, `E_WRONG_TYPE`, or the file system's failure.
 */
export async function watchFolder(
  path: string,
  options: WatchFolderOptions,
): Promise<Result<WatchedFolder>> {
  const root = await openRoot(path);
  if (!root.ok) return root;
  const engine = new WatchEngine(path, root.value, options);
  await engine.start();
  return succeed(engine);
}

class WatchEngine implements WatchedFolder {
  private readonly path: string;
  private readonly root: DirectoryHandle;
  private readonly options: WatchFolderOptions;
  private readonly settleMs: number;
  private readonly settling: SettleQueue;
  private readonly writers = new WriterWatch();
  private readonly late = new LateWriters();
  private readonly ready: string[] = [];
  private readonly active = new Set<Promise<void>>();
  private idleWaiters: (() => void)[] = [];
  private watcher: FSWatcher | null = null;
  private closing = false;

  constructor(path: string, root: DirectoryHandle, options: WatchFolderOptions) {
    this.path = path;
    this.root = root;
    this.options = options;
    this.settleMs = options.settleMs ?? DEFAULT_SETTLE_MS;
    this.settling = new SettleQueue((due) => {
      this.ready.push(due);
      this.startWorkers();
    });
  }

  start(): Promise<void> {
    return new Promise((resolve) => {
      this.watcher = watch(this.path, {
        followSymlinks: false,
        ignorePermissionErrors: true,
        atomic: false,
        ignored: (full, stats) => stats?.isFile() === true && this.isIgnored(full),
      });
      this.watcher
        .on('add', (full) => {
          this.touch(this.relativePath(full), this.settleMs);
        })
        .on('change', (full) => {
          this.touch(this.relativePath(full), this.settleMs);
        })
        .on('unlink', (full) => {
          this.settling.forget(this.relativePath(full));
          this.tellIdle();
        })
        .on('error', (error) => this.options.onWatchError?.(error))
        .on('ready', resolve);
    });
  }

  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.idleWaiters.push(resolve);
      this.tellIdle();
    });
  }

  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    await this.watcher?.close();
    this.settling.stop();
    this.ready.length = 0;
    await Promise.all(this.active);
    await this.late.settle();
    await this.root.release();
    this.tellIdle();
  }

  private relativePath(full: string): string {
    return relative(this.path, full).split(sep).join('/');
  }

  private isIgnored(full: string): boolean {
    const path = this.relativePath(full);
    const name = path.slice(path.lastIndexOf('/') + 1);
    return isTempName(name) || this.options.exclude?.(path) === true;
  }

  private touch(path: string, waitMs: number): void {
    if (!this.closing) this.settling.touch(path, waitMs);
  }

  private startWorkers(): void {
    while (!this.closing && this.active.size < WORKERS && this.ready.length > 0) {
      const worker: Promise<void> = this.work().finally(() => {
        this.active.delete(worker);
        this.startWorkers();
        this.tellIdle();
      });
      this.active.add(worker);
    }
  }

  private async work(): Promise<void> {
    for (let path = this.ready.shift(); path !== undefined; path = this.ready.shift()) {
      const outcome = await this.sealPath(path);
      if (!outcome.ok) this.afterFailure(path, outcome.error);
    }
    await this.late.settle();
  }

  private async sealPath(path: string): Promise<Result<SealOutcome>> {
    const components = path.split('/').map((name) => Buffer.from(name));
    try {
      const directory = await openDescendant(this.root, components.slice(0, -1));
      try {
        return await this.sealIn(directory, path, components);
      } finally {
        await directory.release();
      }
    } catch (thrown) {
      return failFromThrown(thrown, path);
    }
  }

  private async sealIn(
    directory: DirectoryHandle,
    path: string,
    components: readonly Buffer[],
  ): Promise<Result<SealOutcome>> {
    const stats = await lstatIn(directory, components.at(-1) ?? Buffer.alloc(0));
    if (stats?.isFile() !== true) return succeed({ kind: 'already' });
    const ageMs = Date.now() - Number(stats.mtimeMs);
    if (ageMs >= 0 && ageMs < this.settleMs) {
      this.touch(path, this.settleMs - ageMs);
      return succeed({ kind: 'already' });
    }
    const { writers, late, root } = this;
    return sealFile(
      {
        root,
        seal: this.options,
        writers,
        late,
        onBytes: () => undefined,
        onSealed: (event) => this.options.onSealed?.(event),
        onFinding: (at, error) => this.options.onFinding?.(at, error),
      },
      { directory, components, links: null },
    );
  }

  private afterFailure(path: string, error: AppError): void {
    if (error.code === 'E_NOT_FOUND') return;
    if (RETRY_SOON.includes(error.code)) {
      this.touch(path, this.settleMs);
      return;
    }
    this.options.onFinding?.(path, error);
    if (RETRY_LATER.includes(error.code)) this.touch(path, RETRY_LATER_MS);
  }

  private tellIdle(): void {
    if (this.settling.size > 0 || this.ready.length > 0 || this.active.size > 0) return;
    const waiters = this.idleWaiters;
    this.idleWaiters = [];
    for (const resolve of waiters) resolve();
  }
}
