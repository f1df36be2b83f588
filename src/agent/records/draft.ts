/**
 * From an event to a draft: gives it an id, the device and the time, and watches the clock.
 *
 * Layer: agent. Not here: the place in the chain (`trail-store.ts`).
 */
import { v7 as uuidv7 } from 'uuid';
import { encodeAroundSequence, MAX_RECORD_LENGTH } from '../../core/records/encode.js';
import type {
  ClockSource,
  GapCause,
  JsonObject,
  RecordDraft,
  RecordEvent,
  RecordTime,
} from '../../core/records/record.js';
import { RECORD_VERSION } from '../../core/records/record.js';
import { fail, succeed, type AppError, type Result } from '../../core/errors/result.js';
import type { Clock } from '../../platform/clock.js';

/** A wall clock that moves by more than this against the monotonic one has been set. */
export const CLOCK_JUMP_MS = 2000;

/** An event's two halves of canonical text, and what remains of interest while it waits. */
export interface EncodedEvent {
  readonly id: string;
  readonly before: string;
  readonly after: string;
}

export class DraftMaker {
  private readonly device: string;
  private readonly clock: Clock;
  private readonly source: ClockSource;
  private driftMs: number;
  private zone: { readonly untilMs: number; readonly minutes: number } | undefined;

  constructor(device: string, clock: Clock, source: ClockSource) {
    this.device = device;
    this.clock = clock;
    this.source = source;
    this.driftMs = this.currentDriftMs();
  }

  /** Milliseconds by which the wall clock was moved since the last call; 0 for small ones. */
  clockJumpMs(): number {
    const drift = this.currentDriftMs();
    const jump = drift - this.driftMs;
    this.driftMs = drift;
    return Math.abs(jump) > CLOCK_JUMP_MS ? Math.round(jump) : 0;
  }

  /** `E_RECORD_INVALID` when the event has no JSON form or is too long. */
  make(event: RecordEvent): Result<EncodedEvent, AppError<'E_RECORD_INVALID'>> {
    const id = uuidv7();
    const draft: RecordDraft = {
      ...event,
      v: RECORD_VERSION,
      id,
      device: this.device,
      time: this.time(),
    };
    try {
      const [before, after] = encodeAroundSequence(draft);
      if (before.length + after.length > MAX_RECORD_LENGTH) {
        return fail('E_RECORD_INVALID', `${event.kind}: longer than ${String(MAX_RECORD_LENGTH)}`);
      }
      return succeed({ id, before, after });
    } catch (thrown) {
      return fail('E_RECORD_INVALID', `${event.kind}: it has no JSON form`, thrown);
    }
  }

  /** A gap record. */
  gap(cause: GapCause, details: JsonObject): EncodedEvent {
    const made = this.make({ kind: 'gap', details: { ...details, cause } });
    if (!made.ok) throw new Error(made.error.detail);
    return made.value;
  }

  private time(): RecordTime {
    const wallMs = this.clock.wallMs();
    return {
      wallMs,
      source: this.source,
      utcOffsetMinutes: this.zoneMinutes(wallMs),
      monotonicNs: this.clock.monotonicNs().toString(),
      bootId: this.clock.bootId,
    };
  }

  private currentDriftMs(): number {
    return this.clock.wallMs() - Number(this.clock.monotonicNs() / 1_000_000n);
  }

  /** Looked up once a minute: asking the time zone costs more than the rest of the record. */
  private zoneMinutes(wallMs: number): number {
    if (
      this.zone === undefined ||
      wallMs >= this.zone.untilMs ||
      wallMs < this.zone.untilMs - 60_000
    ) {
      const minutes = -new Date(wallMs).getTimezoneOffset();
      this.zone = { untilMs: wallMs + 60_000, minutes: minutes === 0 ? 0 : minutes };
    }
    return this.zone.minutes;
  }
}
