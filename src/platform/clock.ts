/**
 * The machine's clocks, injected so that tests can move them.
 *
 * Layer: platform.
 * Wall time may jump (a person or NTP sets it); monotonic time never goes back, stands still
 * while the machine sleeps, and means something only together with the boot id.
 */
import { readFileSync } from 'node:fs';

export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. May jump in either direction. */
  wallMs(): number;
  /** Nanoseconds of CLOCK_MONOTONIC; comparable only within one boot. */
  monotonicNs(): bigint;
  /** The kernel's random id of this boot. */
  readonly bootId: string;
}

/** The clocks of this machine. */
export function systemClock(): Clock {
  return {
    wallMs: () => Date.now(),
    monotonicNs: () => process.hrtime.bigint(),
    bootId: readBootId(),
  };
}

/** A clock that moves only when told to; for tests. */
export interface ManualClock extends Clock {
  /** Moves both clocks forward, as passing time does. */
  advanceMs(ms: number): void;
  /** Moves the wall clock alone, as setting the clock does. */
  setWallMs(ms: number): void;
}

export function manualClock(
  startWallMs = 1_700_000_000_000,
  bootId = '00000000-0000-4000-8000-000000000001',
): ManualClock {
  let wall = startWallMs;
  let monotonic = 1_000_000_000n;
  return {
    bootId,
    wallMs: () => wall,
    monotonicNs: () => monotonic,
    advanceMs: (ms) => {
      wall += ms;
      monotonic += BigInt(ms) * 1_000_000n;
    },
    setWallMs: (ms) => {
      wall = ms;
    },
  };
}

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // Without /proc two boots cannot be told apart; records then say so themselves.
    return 'unknown';
  }
}
