/**
 * How far work on a folder has come, how fast it goes and how long it will take.
 *
 * Layer: agent. Pure but for the clock, which is given.
 * A small file costs about as much as 256 KiB of a large one (opening, fsync, rename), so time is
 * estimated in units of bytes plus that much for each file.
 */
export interface FolderProgress {
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly bytesPerSecond: number;
  /** `null` as long as nothing is done. */
  readonly secondsLeft: number | null;
}

export const UNITS_PER_FILE = 256 * 1024;
const REPORT_EVERY_MS = 100;

/** Counts work and reports it at most ten times a second, and once at the end. */
export class ProgressMeter {
  private filesDone = 0;
  private bytesDone = 0;
  private lastReportMs = -Infinity;
  private readonly startedMs: number;
  private readonly totals: { readonly files: number; readonly bytes: number };
  private readonly report: ((progress: FolderProgress) => void) | undefined;
  private readonly nowMs: () => number;

  constructor(
    totals: { readonly files: number; readonly bytes: number },
    report: ((progress: FolderProgress) => void) | undefined,
    nowMs: () => number = () => performance.now(),
  ) {
    this.totals = totals;
    this.report = report;
    this.nowMs = nowMs;
    this.startedMs = nowMs();
  }

  addBytes(bytes: number): void {
    this.bytesDone += bytes;
    this.maybeReport();
  }

  addFile(): void {
    this.filesDone++;
    this.maybeReport();
  }

  /** Reports the last state, whenever the one before was. */
  finish(): void {
    this.report?.(this.current());
  }

  current(): FolderProgress {
    const seconds = Math.max(this.nowMs() - this.startedMs, 1) / 1000;
    // Files may grow or appear after they were counted.
    const filesTotal = Math.max(this.totals.files, this.filesDone);
    const bytesTotal = Math.max(this.totals.bytes, this.bytesDone);
    const unitsDone = this.bytesDone + this.filesDone * UNITS_PER_FILE;
    const unitsLeft = bytesTotal + filesTotal * UNITS_PER_FILE - unitsDone;
    return {
      filesDone: this.filesDone,
      filesTotal,
      bytesDone: this.bytesDone,
      bytesTotal,
      bytesPerSecond: Math.round(this.bytesDone / seconds),
      secondsLeft: unitsDone === 0 ? null : Math.ceil((unitsLeft / unitsDone) * seconds),
    };
  }

  private maybeReport(): void {
    const now = this.nowMs();
    if (now - this.lastReportMs < REPORT_EVERY_MS) return;
    this.lastReportMs = now;
    this.report?.(this.current());
  }
}
