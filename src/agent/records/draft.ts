/**
 * From an event to a draft: gives it an id, the device and the time, and watches the clock.
 *
 * Layer: agent. Not here: the place in the chain (`trail-store.ts`).
 */
import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { encodeAroundSequence, MAX_RECORD_LENGTH } from '../../core/records/encode.js';
import type {
  ClockSource,
  GapCause,
  JsonObject,
  RecordEvent,
  RecordTime,
} from '../../core/records/record.js';
import { RECORD_VERSION } from '../../core/records/record.js';
import { fail, succeed, type AppError, type Result } from '../../core/errors/result.js';
import type { Clock } from '../../platform/clock.js';

/** A wall clock that moves by more than this against the monotonic one has been set. */
export const CLOCK_JUMP_MS = 2000;

/** An event as it waits for its place. */
export interface EncodedEvent {
  readonly id: string;
  /** Two lines: the record's text before its sequence, and after it. */
  readonly text: string;
}

export class DraftMaker {
  private readonly device: string;
  private readonly clock: Clock;
  private readonly source: ClockSource;
  private driftMs: number;
  private wallMs: number;
  private monotonicNs: bigint;
  private zone: { readonly untilMs: number; readonly minutes: number } | undefined;

  constructor(device: string, clock: Clock, source: ClockSource) {
    this.device = device;
    this.clock = clock;
    this.source = source;
    this.wallMs = clock.wallMs();
    this.monotonicNs = clock.monotonicNs();
    this.driftMs = this.wallMs - Number(this.monotonicNs) / 1e6;
  }

  /**
   * Reads the clocks for the records that follow.
   *
   * @returns milliseconds by which the wall clock was moved since the last call; 0 for small ones.
   */
  tick(): number {
    this.wallMs = this.clock.wallMs();
    this.monotonicNs = this.clock.monotonicNs();
    const drift = this.wallMs - Number(this.monotonicNs) / 1e6;
    const jump = drift - this.driftMs;
    this.driftMs = drift;
    return Math.abs(jump) > CLOCK_JUMP_MS ? Math.round(jump) : 0;
  }

  /** `E_RECORD_INVALID` when the event has no JSON form or is too long. */
  make(event: RecordEvent): Result<EncodedEvent, AppError<'E_RECORD_INVALID'>> {
    const id = newId();
    try {
      const stamp = { v: RECORD_VERSION, id, device: this.device, time: this.time() } as const;
      // `join` gives one flat string. The pieces it is made of would otherwise live on inside it
      // until the record is durable, and collecting those cost more than the record itself.
      const text = encodeAroundSequence(event, stamp).join('\n');
      if (text.length > MAX_RECORD_LENGTH) {
        return fail('E_RECORD_INVALID', `${event.kind}: longer than ${String(MAX_RECORD_LENGTH)}`);
      }
      return succeed({ id, text });
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
    return {
      wallMs: this.wallMs,
      source: this.source,
      utcOffsetMinutes: this.zoneMinutes(this.wallMs),
      monotonicNs: this.monotonicNs.toString(),
      bootId: this.clock.bootId,
    };
  }

  /** Looked up once a minute: asking the time zone costs more than the rest of the record. */
  private zoneMinutes(wallMs: number): number {
    const known = this.zone;
    if (known !== undefined && wallMs < known.untilMs && wallMs >= known.untilMs - 60_000) {
      return known.minutes;
    }
    const minutes = -new Date(wallMs).getTimezoneOffset();
    this.zone = { untilMs: wallMs + 60_000, minutes: minutes === 0 ? 0 : minutes };
    return this.zone.minutes;
  }
}

const randomPool = { bytes: Buffer.alloc(0), at: 0 };

/** A UUIDv7. Random bytes are drawn 256 ids at a time: one draw costs more than an id. */
function newId(): string {
  if (randomPool.at >= randomPool.bytes.length) {
    randomPool.bytes = randomBytes(4096);
    randomPool.at = 0;
  }
  const random = randomPool.bytes.subarray(randomPool.at, randomPool.at + 16);
  randomPool.at += 16;
  return uuidv7({ random });
}
