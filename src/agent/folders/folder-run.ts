/**
 * One run over a folder: counts what there is to do, removes leftovers of killed runs, and hands
 * each file to a worker.
 *
 * Layer: agent. Used by `seal-directory.ts` and `unseal-directory.ts`, which say what is done.
 * A run may be killed at any moment and started again: it takes up where the other stopped.
 */
import { rm } from 'node:fs/promises';
import type { ErrorCode } from '../../core/errors/catalogue.js';
import { hasMagic } from '../../core/container/preamble.js';
import { MAGIC_BYTES } from '../../core/container/format.js';
import { fail, succeed, type AppError, type Result } from '../../core/errors/result.js';
import { failFromThrown } from '../../platform/errno.js';
import { readAt } from '../../platform/container/positioned-io.js';
import { DirectoryHandle, openFileIn } from './directory-handle.js';
import { LinkGroups } from './link-groups.js';
import { ProgressMeter, type FolderProgress } from './progress.js';
import { isLeftover } from './temp-names.js';
import { walkFiles, type FileEntry, type WalkListener } from './walk.js';

/** A file that was left as it is (or needs a look), and why: branch on `error.code`. */
export interface FolderFinding {
  /** Relative to the folder. */
  readonly path: string;
  readonly error: AppError;
}

export interface FolderReport {
  /** Files that this run sealed or unsealed; a file with several names counts once. */
  readonly filesDone: number;
  /** Plain bytes of those. */
  readonly bytesDone: number;
  /** Files that needed nothing. */
  readonly filesAlready: number;
  /** Symbolic links, sockets, pipes, devices and other mounts, which are left alone. */
  readonly othersSkipped: number;
  readonly leftoversRemoved: number;
  /** At most 1000; `findingsTotal` counts all. */
  readonly findings: readonly FolderFinding[];
  readonly findingsTotal: number;
}

export interface FolderRunOptions {
  readonly exclude?: ((path: string) => boolean) | undefined;
  readonly onProgress?: ((progress: FolderProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How many files at once; default 2. */
  readonly concurrency?: number | undefined;
}

/** What a worker did with a file: `done` with so many plain bytes, or nothing. */
export type FileOutcome =
  { readonly kind: 'done'; readonly plainBytes: number } | { readonly kind: 'already' };

export interface FolderTask {
  /** Which files are to be worked on, by whether they begin as a sealed file does. */
  readonly wantsSealed: boolean;
  /** These end the run; any other failure is a finding of its file. */
  readonly fatal: readonly ErrorCode[];
  readonly work: (run: FolderRun, entry: FileEntry) => Promise<Result<FileOutcome>>;
  /** When all files are through; what is found here is a finding. */
  readonly settle: (run: FolderRun) => Promise<void>;
}

const MAX_FINDINGS = 1000;
const ALWAYS_FATAL: readonly ErrorCode[] = [
  'E_DISK_FULL',
  'E_READ_ONLY',
  'E_TOO_MANY_OPEN',
  'E_FOLDER_CANCELLED',
];

/** The state of one run, which its workers share. */
export class FolderRun {
  readonly root: DirectoryHandle;
  readonly links = new LinkGroups();
  readonly signal: AbortSignal | undefined;
  private readonly options: FolderRunOptions;
  private readonly task: FolderTask;
  private readonly findings: FolderFinding[] = [];
  private findingsTotal = 0;
  private filesDone = 0;
  private bytesDone = 0;
  private filesAlready = 0;
  private othersSkipped = 0;
  private leftoversRemoved = 0;
  private fatal: { readonly ok: false; readonly error: AppError } | null = null;
  private meter = new ProgressMeter({ files: 0, bytes: 0 }, undefined);

  constructor(root: DirectoryHandle, options: FolderRunOptions, task: FolderTask) {
    this.root = root;
    this.options = options;
    this.task = task;
    this.signal = options.signal;
  }

  async execute(): Promise<Result<FolderReport>> {
    await this.survey();
    if (this.fatal === null) await this.workThrough();
    await this.task.settle(this);
    this.meter.finish();
    return this.fatal ?? succeed(this.report());
  }

  /** For progress while a large file is under way. @throws when the run was cancelled. */
  countBytes(bytes: number): void {
    this.signal?.throwIfAborted();
    this.meter.addBytes(bytes);
  }

  addFinding(path: string, error: AppError): void {
    this.findingsTotal++;
    if (this.findings.length < MAX_FINDINGS) this.findings.push({ path, error });
  }

  private async survey(): Promise<void> {
    let files = 0;
    let bytes = 0;
    await this.forEachFile(this.walk(true), async (entry) => {
      if (entry.temp) return this.removeLeftover(entry);
      this.links.add(entry);
      if ((await beginsSealed(entry)) === this.task.wantsSealed) {
        files++;
        bytes += Number(entry.stats.size);
      }
      return succeed(null);
    });
    this.meter = new ProgressMeter({ files, bytes }, this.options.onProgress);
  }

  private async removeLeftover(entry: FileEntry): Promise<Result<null>> {
    if (!isLeftover(entry.name)) return succeed(null);
    await rm(entry.directory.at(entry.name), { force: true });
    this.leftoversRemoved++;
    return succeed(null);
  }

  private async workThrough(): Promise<void> {
    const files = this.walk(false);
    const workers = Array.from({ length: this.options.concurrency ?? 2 }, () =>
      this.forEachFile(files, (entry) => this.workOn(entry)),
    );
    await Promise.all(workers);
  }

  private async workOn(entry: FileEntry): Promise<Result<null>> {
    if (entry.temp) return succeed(null);
    const outcome = await this.task.work(this, entry);
    if (!outcome.ok) return outcome;
    if (outcome.value.kind === 'already') {
      this.filesAlready++;
    } else {
      this.filesDone++;
      this.bytesDone += outcome.value.plainBytes;
      this.meter.addFile();
    }
    return succeed(null);
  }

  /** Several callers may share one generator; a fatal failure of one stops all. */
  private async forEachFile(
    files: AsyncGenerator<FileEntry>,
    act: (entry: FileEntry) => Promise<Result<null>>,
  ): Promise<void> {
    while (this.fatal === null) {
      const next = await files.next();
      if (next.done === true) return;
      const entry = next.value;
      try {
        const done = await this.guarded(() => act(entry));
        if (!done.ok) this.note(entry.path, done.error);
      } finally {
        await entry.directory.release();
      }
    }
    // Lets the directories go that the walk holds.
    await files.return(undefined);
  }

  private async guarded(act: () => Promise<Result<null>>): Promise<Result<null>> {
    try {
      this.signal?.throwIfAborted();
      return await act();
    } catch (thrown) {
      if (this.signal?.aborted === true) return fail('E_FOLDER_CANCELLED', 'stopped on request');
      return failFromThrown(thrown, 'work on a file');
    }
  }

  private note(path: string, error: AppError): void {
    if (![...ALWAYS_FATAL, ...this.task.fatal].includes(error.code)) {
      this.addFinding(path, error);
      return;
    }
    const detail = `${path}: ${error.detail} (after ${String(this.filesDone)} files)`;
    this.fatal ??= fail(error.code, detail, error);
  }

  private walk(first: boolean): AsyncGenerator<FileEntry> {
    const listener: WalkListener = {
      // The second walk meets the same gaps and others as the first.
      onGap: ({ path, error }) => {
        if (first) this.addFinding(path, error);
      },
      onOther: () => {
        if (first) this.othersSkipped++;
      },
    };
    return walkFiles(this.root, this.options.exclude ?? (() => false), listener);
  }

  private report(): FolderReport {
    const { filesDone, bytesDone, filesAlready, othersSkipped, leftoversRemoved } = this;
    const { findings, findingsTotal } = this;
    return {
      filesDone,
      bytesDone,
      filesAlready,
      othersSkipped,
      leftoversRemoved,
      findings,
      findingsTotal,
    };
  }
}

/** Runs `task` over the folder at `path` (which may be `/proc/self/fd/N`). */
export async function runOverFolder(
  path: string,
  options: FolderRunOptions,
  task: FolderTask,
): Promise<Result<FolderReport>> {
  const root = await openRoot(path);
  if (!root.ok) return root;
  try {
    return await new FolderRun(root.value, options, task).execute();
  } finally {
    await root.value.release();
  }
}

/** @returns `E_FOLDER_NOT_FOUND`, `E_WRONG_TYPE`, or the file system's failure. */
export async function openRoot(path: string): Promise<Result<DirectoryHandle>> {
  try {
    return succeed(await DirectoryHandle.openRoot(path));
  } catch (thrown) {
    const failed = failFromThrown(thrown, 'open the folder');
    if (failed.error.code !== 'E_NOT_FOUND') return failed;
    return fail('E_FOLDER_NOT_FOUND', failed.error.detail, thrown);
  }
}

/** Whether the file begins as a sealed one does. Rejects with the system error. */
async function beginsSealed({ directory, name }: FileEntry): Promise<boolean> {
  const handle = await openFileIn(directory, name);
  try {
    const start = new Uint8Array(MAGIC_BYTES);
    await readAt(handle, start, 0);
    return hasMagic(start);
  } finally {
    await handle.close();
  }
}
