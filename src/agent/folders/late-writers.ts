/**
 * Looks after files that some program had open for writing while they were replaced.
 *
 * Layer: agent. Such a program goes on writing into the old file, which has no name any more. So
 * the old file is kept open here until nobody can write to it; if it changed, its contents are
 * taken once more. Bounded: at most 16 old files, or 64 MiB of them, are kept at a time.
 * Not covered: this process being killed while a program still writes into the old file, and
 * writers that `open-writers.ts` cannot see.
 */
import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { WriterWatch } from './open-writers.js';

const MAX_FILES = 16;
const MAX_BYTES = 64 * 2 ** 20;
const LOOK_EVERY_MS = 100;

/** A file that has been replaced. */
export interface ReplacedFile {
  readonly path: string;
  /** The old file; closed here. */
  readonly source: FileHandle;
  /** Its state when its contents were taken. */
  readonly before: BigIntStats;
  /** Takes the contents of `source` once more. */
  readonly again: (source: FileHandle) => Promise<void>;
  /** Somebody still writes after `waitMs`; what is written from now on is lost. */
  readonly onStillWritten: () => void;
}

export class LateWriters {
  private readonly waitMs: number;
  private waiting: ReplacedFile[] = [];
  private bytes = 0;

  /** @param waitMs - how long to wait for a writer to close the old file. */
  constructor(waitMs = 10_000) {
    this.waitMs = waitMs;
  }

  /** Takes over a replaced file; settles the batch when it is full. */
  async add(file: ReplacedFile): Promise<void> {
    this.waiting.push(file);
    this.bytes += Number(file.before.size);
    if (this.waiting.length >= MAX_FILES || this.bytes >= MAX_BYTES) await this.settle();
  }

  /** Returns when every file taken over so far is closed. */
  async settle(): Promise<void> {
    const batch = this.waiting;
    this.waiting = [];
    this.bytes = 0;
    const watch = new WriterWatch();
    for (const file of batch) {
      try {
        await this.settleOne(file, watch);
      } finally {
        await file.source.close();
      }
    }
  }

  private async settleOne(file: ReplacedFile, watch: WriterWatch): Promise<void> {
    const giveUpAt = performance.now() + this.waitMs;
    let written = await watch.isWritten(file.before);
    while (written && performance.now() < giveUpAt) {
      await sleep(LOOK_EVERY_MS);
      watch.refresh();
      written = await watch.isWritten(file.before);
    }
    if (written) file.onStillWritten();
    // The change time moved with the rename; what counts is whether bytes did.
    const now = await file.source.stat({ bigint: true });
    const { size, mtimeNs } = file.before;
    if (now.size !== size || now.mtimeNs !== mtimeNs) await file.again(file.source);
  }
}
