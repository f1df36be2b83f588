/**
 * The trail's writer: takes events, answers when they are durable, declares every gap.
 *
 * Layer: agent. Spec: docs/spec/record-v1.md, section 8.
 * Contract: `append` resolves when the record survives a power cut, or says that it does not; it
 *   never rejects. A failure changes no decision that was made: it raises an alarm. What could not
 *   be stored waits in a bounded queue and is stored later, after a gap record; what does not fit
 *   is counted, and the count becomes a gap record.
 * Group commit: while one batch is being synced the next one gathers.
 * Order of writes: batch of records, then (from time to time) the checkpoint's row, then the head
 *   file. `kill -9` at any moment leaves every acknowledged record and a chain that verifies.
 * Not here: opening (`open-trail.ts`), SQLite (`trail-store.ts`), reading (`src/platform/`).
 */
import { fail, type AppError } from '../../core/errors/result.js';
import type { ErrorCode } from '../../core/errors/catalogue.js';
import { EMPTY_CHAIN, type ChainHead } from '../../core/records/chain.js';
import type { GapCause, JsonObject, RecordEvent } from '../../core/records/record.js';
import type { Clock } from '../../platform/clock.js';
import type { DraftMaker, EncodedEvent } from './draft.js';
import type { CheckpointKeeper } from './checkpoint-keeper.js';
import type { TrailBackend, TrailReply } from './trail-protocol.js';
import {
  failEntry,
  settleEntry,
  TrailQueue,
  type AppendResult,
  type QueueEntry,
} from './trail-queue.js';

export interface TrailAlarm {
  readonly kind: 'disk-full' | 'storage-failed' | 'overflow' | 'recovered';
  readonly detail: string;
}

export interface TrailLimits {
  /** Events that may wait; more are refused and counted. */
  readonly maxQueued: number;
  readonly maxBatch: number;
  /** Pause between attempts while storing fails, milliseconds. */
  readonly retryMs: number;
}

export interface WriterParts {
  readonly openBackend: () => TrailBackend;
  readonly drafts: DraftMaker;
  readonly checkpoints: CheckpointKeeper;
  readonly clock: Clock;
  readonly limits: TrailLimits;
  readonly onAlarm: (alarm: TrailAlarm) => void;
}

export interface TrailStatus {
  readonly head: ChainHead;
  readonly queued: number;
  /** Events refused and not yet declared by a gap record. */
  readonly dropped: number;
  /** Why nothing can be stored at the moment. */
  readonly stalled?: ErrorCode;
}

interface Batch {
  readonly number: number;
  readonly entries: readonly QueueEntry[];
}

interface Stall {
  readonly cause: 'disk-full' | 'storage-failed';
  readonly code: ErrorCode;
  readonly sinceMs: number;
}

/** One batch is being synced while the next is chained and inserted. */
const MAX_IN_FLIGHT = 2;

export class TrailWriter {
  private readonly parts: WriterParts;
  private readonly queue: TrailQueue;
  private backend: TrailBackend;
  private headNow: ChainHead = EMPTY_CHAIN;
  private inFlight: Batch[] = [];
  private returned: QueueEntry[] = [];
  private nextBatch = 1;
  private flushPlanned = false;
  private stall: Stall | undefined;
  private retryTimer: NodeJS.Timeout | undefined;
  private closing = false;
  private idle: (() => void)[] = [];
  private onClosed: (() => void) | undefined;

  /** `backend` has replied `ready` with `head`. */
  constructor(parts: WriterParts, backend: TrailBackend, head: ChainHead) {
    this.parts = parts;
    this.queue = new TrailQueue(parts.limits.maxQueued);
    this.backend = backend;
    this.headNow = head;
    this.listen();
  }

  /**
   * Records `event`.
   *
   * @returns when it is durable, its place. `E_RECORD_NOT_DURABLE` while storing fails (it stays
   *   queued and is stored when that ends), `E_RECORD_QUEUE_FULL` (counted, and declared by a gap
   *   record), `E_RECORD_INVALID` or `E_RECORD_CLOSED`. Never rejects.
   */
  append(event: RecordEvent): Promise<AppendResult> {
    if (this.closing) return Promise.resolve(fail('E_RECORD_CLOSED', event.kind));
    return this.accept(event);
  }

  /** Resolves when everything appended so far is durable, or storing has stalled. */
  flush(): Promise<void> {
    if (this.stall !== undefined || this.queue.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  status(): TrailStatus {
    return {
      head: this.headNow,
      queued: this.queue.size,
      dropped: this.queue.droppedCount,
      ...(this.stall === undefined ? {} : { stalled: this.stall.code }),
    };
  }

  /** Signs the head as it is now and stores the signature. */
  async checkpoint(): Promise<void> {
    await this.flush();
    this.parts.checkpoints.make(this.headNow, this.backend);
    await this.parts.checkpoints.settled();
  }

  /**
   * Records `agent-stop`, signs the head and closes. Events appended after this are refused.
   *
   * @param deadlineMs - how long to wait for a stalled store before giving up on the last records.
   */
  async close(details: JsonObject = {}, deadlineMs = 5000): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    if (this.queue.droppedCount > 0) this.declareDropped();
    const end = this.accept({ kind: 'agent-stop', outcome: 'done', details });
    await within(deadlineMs, Promise.all([end, this.flush()]));
    this.parts.checkpoints.make(this.headNow, this.backend);
    await within(deadlineMs, this.parts.checkpoints.settled());
    clearTimeout(this.retryTimer);
    this.parts.checkpoints.stop();
    await within(
      deadlineMs,
      new Promise<void>((resolve) => {
        this.onClosed = resolve;
        this.backend.post({ type: 'close' });
      }),
    );
    await this.backend.terminate();
  }

  /** Queues a gap record. */
  declareGap(cause: GapCause, details: JsonObject): void {
    this.enqueue(this.parts.drafts.gap(cause, details), undefined);
  }

  private accept(event: RecordEvent): Promise<AppendResult> {
    this.watchClock();
    const made = this.parts.drafts.make(event);
    if (!made.ok) return Promise.resolve(made);
    if (!this.queue.hasRoom()) return Promise.resolve(this.drop(event));
    return new Promise((resolve) => {
      this.enqueue(made.value, resolve);
    });
  }

  private enqueue(event: EncodedEvent, settle: QueueEntry['settle']): void {
    const entry: QueueEntry = { event, settle, transient: false };
    this.queue.push(entry);
    if (this.stall === undefined) this.planFlush();
    else failEntry(entry, 'E_RECORD_NOT_DURABLE', this.stall.code);
  }

  private drop(event: RecordEvent): { ok: false; error: AppError<'E_RECORD_QUEUE_FULL'> } {
    if (this.queue.droppedCount === 0) this.alarm('overflow', `${String(this.queue.size)} waiting`);
    this.queue.countDropped(event.operation ?? event.kind, this.parts.clock.wallMs());
    return fail('E_RECORD_QUEUE_FULL', `${String(this.queue.size)} records are waiting`);
  }

  private watchClock(): void {
    const jump = this.parts.drafts.tick();
    if (jump === 0) return;
    // A machine that slept looks the same as a clock set forward: monotonic time stood still.
    this.declareGap(jump > 0 ? 'clock-forward' : 'clock-backward', { byMs: Math.abs(jump) });
  }

  private planFlush(): void {
    if (this.flushPlanned || this.inFlight.length >= MAX_IN_FLIGHT) return;
    this.flushPlanned = true;
    // The end of this turn of the loop: whatever else it brings goes into the same batch.
    setImmediate(() => {
      this.flushPlanned = false;
      this.send();
    });
  }

  private send(): void {
    while (this.maySend()) this.post(this.queue.take(this.parts.limits.maxBatch));
  }

  private maySend(): boolean {
    if (this.stall !== undefined) return false;
    return this.inFlight.length < MAX_IN_FLIGHT && !this.queue.isEmpty;
  }

  private post(entries: readonly QueueEntry[]): void {
    const number = this.nextBatch++;
    this.inFlight.push({ number, entries });
    const text = entries.map(({ event }) => event.text).join('\n');
    this.backend.post({ type: 'append', batch: number, text });
  }

  private listen(): void {
    const { backend } = this;
    backend.listen(
      (reply) => {
        if (backend === this.backend) this.onReply(reply);
      },
      (reason) => {
        if (backend === this.backend) this.onGone(reason);
      },
    );
  }

  private onReply(reply: TrailReply): void {
    if (reply.type === 'appended') this.onAppended(reply.head);
    else if (reply.type === 'failed') this.onFailed(reply.code);
    else if (reply.type === 'checkpointed') this.parts.checkpoints.onStored(reply);
    else if (reply.type === 'closed') this.onClosed?.();
    else if (reply.type === 'ready') this.onReopened(reply.end.head);
    else this.reopenLater();
  }

  private onAppended(head: ChainHead): void {
    const batch = this.inFlight.shift();
    if (batch === undefined) return;
    this.acknowledge(batch.entries, head.seq);
    this.headNow = head;
    if (this.stall !== undefined) this.recovered();
    if (this.queue.mayDeclareDropped()) this.declareDropped();
    this.parts.checkpoints.afterBatch(head, this.backend);
    this.send();
    this.tellIdle();
  }

  private acknowledge(entries: readonly QueueEntry[], lastSeq: number): void {
    let seq = lastSeq - entries.length;
    for (const entry of entries) settleEntry(entry, ++seq);
    this.queue.done(entries.filter(({ transient }) => !transient).length);
  }

  private declareDropped(): void {
    this.declareGap('overflow', this.queue.takeDropped());
  }

  private onFailed(code: ErrorCode): void {
    const batch = this.inFlight.shift();
    if (batch === undefined) return;
    this.returned.push(...batch.entries);
    this.beginStall(code === 'E_DISK_FULL' ? 'disk-full' : 'storage-failed', code);
    for (const entry of batch.entries) failEntry(entry, 'E_RECORD_NOT_DURABLE', code);
    // The worker refuses the batches behind this one; they come back in order.
    if (this.inFlight.length > 0) return;
    this.queue.putBack(this.returned.splice(0));
    this.planRetry();
  }

  private beginStall(cause: Stall['cause'], code: ErrorCode): void {
    if (this.stall !== undefined) return;
    this.stall = { cause, code, sinceMs: this.parts.clock.wallMs() };
    this.alarm(cause, code);
    this.queue.failWaiting('E_RECORD_NOT_DURABLE', code);
    this.tellIdle();
  }

  private planRetry(): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => {
      this.retry();
    }, this.parts.limits.retryMs);
  }

  /** One batch, a gap record in front, tells whether storing works again. */
  private retry(): void {
    if (this.stall === undefined || this.inFlight.length > 0) return;
    const { cause, sinceMs } = this.stall;
    const late = this.queue.size;
    this.parts.drafts.tick();
    const details = { sinceMs, untilMs: this.parts.clock.wallMs(), late };
    const gap = this.parts.drafts.gap(cause, details);
    const entries = this.queue.take(this.parts.limits.maxBatch);
    this.backend.post({ type: 'resume' });
    this.post([{ event: gap, settle: undefined, transient: true }, ...entries]);
  }

  private recovered(): void {
    this.stall = undefined;
    this.alarm('recovered', `${String(this.queue.size)} records follow`);
  }

  private onGone(reason: string): void {
    if (this.closing && this.onClosed !== undefined) {
      this.onClosed();
      return;
    }
    this.parts.checkpoints.onGone();
    this.beginStall('storage-failed', 'E_IO');
    this.alarm('storage-failed', `the trail's thread ended: ${reason}`);
    for (const { entries } of this.inFlight) {
      for (const entry of entries) failEntry(entry, 'E_RECORD_NOT_DURABLE', 'E_IO');
    }
    this.reopenLater();
  }

  private reopenLater(): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => {
      this.backend = this.parts.openBackend();
      this.listen();
    }, this.parts.limits.retryMs);
  }

  /** The lost thread may have stored batches without saying so: the new head tells how many. */
  private onReopened(head: ChainHead): void {
    const lost = this.inFlight.splice(0).flatMap(({ entries }) => entries);
    const stored = Math.min(Math.max(head.seq - this.headNow.seq, 0), lost.length);
    this.acknowledge(lost.slice(0, stored), this.headNow.seq + stored);
    this.headNow = head;
    this.queue.putBack([...this.returned.splice(0), ...lost.slice(stored)]);
    this.retry();
  }

  private tellIdle(): void {
    if (this.stall === undefined && this.queue.size > 0) return;
    for (const resolve of this.idle.splice(0)) resolve();
  }

  private alarm(kind: TrailAlarm['kind'], detail: string): void {
    this.parts.onAlarm({ kind, detail });
  }
}

/** Waits for `work`, at most `ms`. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, deadline]);
  clearTimeout(timer);
}
