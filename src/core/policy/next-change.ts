/**
 * When may the verdict table answer differently, by the clock alone?
 *
 * Layer: core. Rules see the clock as local hour and weekday, so nothing changes between two such
 * boundaries. The cases of the table are asked again at each boundary to come, until one differs.
 * That costs evaluations; when the allowance is used up, the next boundary not yet looked at is
 * the answer: compiling again too early is harmless, too late is not.
 */
import type { Mentions } from './rule-mentions.js';

/** What rules see of the clock. */
export interface TimeOfWeek {
  readonly hour: number;
  readonly weekday: number;
}

/** Local hour and weekday of an instant; the caller knows the time zone. */
export type LocalTime = (ms: number) => TimeOfWeek;

/** Every time zone is a multiple of a quarter of an hour off UTC, and so is every clock change. */
const STEP_MS = 15 * 60 * 1000;
const HOUR_MS = 60 * 60 * 1000;
/** One hour more than the period, for the day on which the clocks change. */
const DAY_HORIZON_MS = 25 * HOUR_MS;
const WEEK_HORIZON_MS = (7 * 24 + 1) * HOUR_MS;
const MOST_EVALUATIONS = 2000;

interface Verdicts {
  readonly open: string;
  readonly modify: string;
  readonly ruleIds: readonly string[];
}

export interface NextChangeInput<Case> {
  readonly mentions: Mentions;
  readonly nowMs: number;
  readonly localTime: LocalTime;
  readonly cases: readonly { readonly item: Case; readonly cell: Verdicts }[];
  readonly evaluate: (item: Case, time: TimeOfWeek) => Verdicts;
}

function differs(a: Verdicts, b: Verdicts): boolean {
  return a.open !== b.open || a.modify !== b.modify || a.ruleIds.join() !== b.ruleIds.join();
}

function clockUse({ attributes, wholeContext }: Mentions) {
  return {
    hour: wholeContext || attributes.has('hour'),
    weekday: wholeContext || attributes.has('weekday'),
  };
}

/** Instants after `nowMs` at which a mentioned part of the clock changes, up to the horizon. */
function boundaries(
  nowMs: number,
  localTime: LocalTime,
  uses: { readonly hour: boolean; readonly weekday: boolean },
): readonly { readonly atMs: number; readonly time: TimeOfWeek }[] {
  const endMs = nowMs + (uses.weekday ? WEEK_HORIZON_MS : DAY_HORIZON_MS);
  const found: { atMs: number; time: TimeOfWeek }[] = [];
  let last = localTime(nowMs);
  for (let ms = (Math.floor(nowMs / STEP_MS) + 1) * STEP_MS; ms <= endMs; ms += STEP_MS) {
    const time = localTime(ms);
    const hour = uses.hour && time.hour !== last.hour;
    if (hour || (uses.weekday && time.weekday !== last.weekday)) found.push({ atMs: ms, time });
    last = time;
  }
  return found;
}

/** The next instant at which an answer may change; `null` when no rule looks at the clock. */
export function nextChangeAtMs<Case>(input: NextChangeInput<Case>): number | null {
  const uses = clockUse(input.mentions);
  if (!uses.hour && !uses.weekday) return null;
  let allowance = MOST_EVALUATIONS;
  for (const { atMs, time } of boundaries(input.nowMs, input.localTime, uses)) {
    for (const { item, cell } of input.cases) {
      if (allowance <= 0) return atMs;
      allowance -= 2;
      if (differs(cell, input.evaluate(item, time))) return atMs;
    }
  }
  return null;
}
