/**
 * Events that wait to become durable: bounded, in order, with a count of what did not fit.
 *
 * Layer: agent. Nothing is ever dropped in silence: a full queue counts, and the count becomes a
 * gap record (`takeDropped`).
 */
import { fail, succeed, type AppError, type Result } from '../../core/errors/result.js';
import type { ErrorCode } from '../../core/errors/catalogue.js';
import type { JsonObject } from '../../core/records/record.js';
import type { EncodedEvent } from './draft.js';

/** Where a durable record stands. */
export interface Receipt {
  readonly seq: number;
  /** The record's UUIDv7. */
  readonly id: string;
}

export type AppendResult = Result<
  Receipt,
  AppError<'E_RECORD_INVALID' | 'E_RECORD_NOT_DURABLE' | 'E_RECORD_QUEUE_FULL' | 'E_RECORD_CLOSED'>
>;

/** One waiting event. `settle` is there until its caller has got an answer. */
export interface QueueEntry {
  readonly event: EncodedEvent;
  settle: ((result: AppendResult) => void) | undefined;
  /** Made for one attempt alone; thrown away when that fails. */
  readonly transient: boolean;
}

export class TrailQueue {
  private readonly capacity: number;
  private waiting: QueueEntry[] = [];
  /** Entries handed out by `take` and not yet given back or done with. */
  private outside = 0;
  private dropped = 0;
  private droppedByKind: Record<string, number> = {};
  private droppedFromMs = 0;
  private droppedUntilMs = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.waiting.length + this.outside;
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  get droppedCount(): number {
    return this.dropped;
  }

  hasRoom(): boolean {
    return this.size < this.capacity;
  }

  /** True once the queue has emptied enough for a gap record about what was dropped. */
  mayDeclareDropped(): boolean {
    return this.dropped > 0 && this.size <= this.capacity / 2;
  }

  push(entry: QueueEntry): void {
    this.waiting.push(entry);
  }

  countDropped(kind: string, wallMs: number): void {
    if (this.dropped === 0) this.droppedFromMs = wallMs;
    this.dropped += 1;
    this.droppedUntilMs = wallMs;
    this.droppedByKind[kind] = (this.droppedByKind[kind] ?? 0) + 1;
  }

  /** The count so far as a gap record's details; starts a new count. */
  takeDropped(): JsonObject {
    const details = {
      dropped: this.dropped,
      byKind: this.droppedByKind,
      fromMs: this.droppedFromMs,
      untilMs: this.droppedUntilMs,
    };
    this.dropped = 0;
    this.droppedByKind = {};
    return details;
  }

  /** Takes up to `count` entries out; each comes back by `putBack` or ends by `done`. */
  take(count: number): QueueEntry[] {
    const taken = this.waiting.splice(0, count);
    this.outside += taken.length;
    return taken;
  }

  /** Entries that were taken, to stand in front again; transient ones vanish. */
  putBack(entries: readonly QueueEntry[]): void {
    this.waiting = [...entries.filter(({ transient }) => !transient), ...this.waiting];
    this.done(entries.filter(({ transient }) => !transient).length);
  }

  done(count: number): void {
    this.outside -= count;
  }

  /** Tells everybody who waits that durability cannot be promised now. The events stay. */
  failWaiting(code: 'E_RECORD_NOT_DURABLE', cause: ErrorCode): void {
    for (const entry of this.waiting) failEntry(entry, code, cause);
  }
}

export function failEntry(entry: QueueEntry, code: 'E_RECORD_NOT_DURABLE', cause: ErrorCode): void {
  entry.settle?.(fail(code, `not stored yet: ${cause}`));
  entry.settle = undefined;
}

export function settleEntry(entry: QueueEntry, seq: number): void {
  entry.settle?.(succeed({ seq, id: entry.event.id }));
  entry.settle = undefined;
}
