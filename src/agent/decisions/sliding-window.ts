/**
 * How much each person has done lately: the counts that bulk rules look at.
 *
 * Layer: agent. In memory: a restart of the agent starts the window anew, which the trail shows.
 */
export interface WindowTotals {
  readonly count: number;
  readonly bytes: number;
}

interface Entry {
  readonly atMs: number;
  readonly bytes: number;
}

/** One hour, as docs/spec/policy-set-v1.md says of `context.count`. */
export const WINDOW_MS = 60 * 60 * 1000;
const MOST_ENTRIES = 100_000;

export class SlidingWindow {
  private readonly entries = new Map<string, Entry[]>();

  /** Totals of the window that ends at `nowMs`, with one more act of `bytes` counted in. */
  withOneMore(uid: number, operation: string, bytes: number, nowMs: number): WindowTotals {
    const recent = this.recent(uid, operation, nowMs);
    return {
      count: recent.length + 1,
      bytes: recent.reduce((sum, entry) => sum + entry.bytes, bytes),
    };
  }

  /** Counts an act that took place. */
  add(uid: number, operation: string, bytes: number, nowMs: number): void {
    const recent = this.recent(uid, operation, nowMs);
    recent.push({ atMs: nowMs, bytes });
    this.entries.set(keyOf(uid, operation), recent.slice(-MOST_ENTRIES));
  }

  private recent(uid: number, operation: string, nowMs: number): Entry[] {
    const all = this.entries.get(keyOf(uid, operation)) ?? [];
    return all.filter(({ atMs }) => nowMs - atMs < WINDOW_MS);
  }
}

function keyOf(uid: number, operation: string): string {
  return `${String(uid)}/${operation}`;
}
