/**
 * Holds back paths until nothing has happened to them for a while.
 *
 * Layer: agent. One timer for all paths; memory: one entry a path. Each touch starts the wait of
 * its path again, so a file that is written all the time waits until the writing ends.
 */
export class SettleQueue {
  private readonly dueAt = new Map<string, number>();
  private timer: NodeJS.Timeout | null = null;
  private readonly onDue: (path: string) => void;

  constructor(onDue: (path: string) => void) {
    this.onDue = onDue;
  }

  get size(): number {
    return this.dueAt.size;
  }

  /** Lets `path` become due after `waitMs`, whatever was set before. */
  touch(path: string, waitMs: number): void {
    // Inserted anew, so that the map stays nearly in order of time.
    this.dueAt.delete(path);
    this.dueAt.set(path, performance.now() + waitMs);
    this.timer ??= setTimeout(() => {
      this.fire();
    }, waitMs);
  }

  forget(path: string): void {
    this.dueAt.delete(path);
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.dueAt.clear();
  }

  private fire(): void {
    this.timer = null;
    const now = performance.now();
    const due = [...this.dueAt].filter(([, at]) => at <= now).map(([path]) => path);
    for (const path of due) this.dueAt.delete(path);
    if (this.dueAt.size > 0) {
      const next = [...this.dueAt.values()].reduce((least, at) => Math.min(least, at), Infinity);
      this.timer = setTimeout(
        () => {
          this.fire();
        },
        Math.max(1, next - now),
      );
    }
    for (const path of due) this.onDue(path);
  }
}
