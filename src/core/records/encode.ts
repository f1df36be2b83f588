/**
 * The bytes of a record: canonical JSON (RFC 8785).
 *
 * Layer: core. Spec: docs/spec/record-v1.md, section 3.
 * Two ways to the same bytes: `encodeRecord` by the `canonicalize` package, which the verifier
 *   uses, and `encodeAroundSequence`, which the writer uses: it lays the members out in order
 *   itself (a third of the cost) and leaves the place of `seq` open. A property test holds them
 *   equal.
 * Not here: the chain (`chain.ts`).
 */
import canonicalize from 'canonicalize';
import type { JsonObject, JsonValue, RecordDraft, RecordEvent, TrailRecord } from './record.js';

/** Longest canonical record in UTF-16 code units: a record is a note, not an archive. */
export const MAX_RECORD_LENGTH = 65_536;

/**
 * The canonical text of any JSON value.
 *
 * @throws Error for values that JSON has no form for (NaN, bigint, a cycle): a caller bug.
 */
export function canonicalText(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('this value has no JSON form');
  return text;
}

/** The canonical text of a record. */
export function encodeRecord(record: TrailRecord): string {
  return canonicalText(record);
}

/** What the writer adds to an event, the sequence aside. */
export type RecordStamp = Omit<RecordDraft, keyof RecordEvent>;

/**
 * The canonical text of a record whose sequence is not known yet: `before + String(seq) + after`
 * is what `encodeRecord` gives of event, stamp and sequence together.
 *
 * Members that are absent or `undefined` do not appear. Neither part holds a line feed.
 *
 * @throws Error for numbers that JSON has no form for: a caller bug.
 */
export function encodeAroundSequence(
  event: RecordEvent,
  stamp: RecordStamp,
): readonly [before: string, after: string] {
  // Members stand in the order of their names' UTF-16 code units, as RFC 8785, 3.2.3 wants.
  // Each brings the comma behind it, so that the sequence can follow whatever there is.
  const before = `{${application(event.application)}${text('channel', event.channel)}${decision(
    event.decision,
  )}${text('destination', event.destination)}${details(event.details)}"device":"${
    stamp.device
  }","id":"${stamp.id}","kind":"${event.kind}",${object(event.object)}${text(
    'operation',
    event.operation,
  )}${text('outcome', event.outcome)}"seq":`;
  const after = `,${text('session', event.session)}${time(stamp.time)}${user(
    event.user,
  )}"v":${String(stamp.v)}}`;
  return [before, after];
}

function application(value: RecordEvent['application']): string {
  if (value === undefined) return '';
  const { digest, id, path, pid } = value;
  return `"application":${braced(
    text('digest', digest) + text('id', id) + text('path', path) + number('pid', pid),
  )},`;
}

function decision(value: RecordEvent['decision']): string {
  if (value === undefined) return '';
  const { obligations, policyVersion, ruleIds, verdict } = value;
  const version = text('policyVersion', policyVersion);
  return `"decision":{"obligations":${list(obligations)},${version}"ruleIds":${list(ruleIds)},"verdict":"${verdict}"},`;
}

function details(value: RecordEvent['details']): string {
  return value === undefined ? '' : `"details":${canonicalText(cleaned(value))},`;
}

function object(value: RecordEvent['object']): string {
  if (value === undefined) return '';
  const { area, fileId, label, path, sizeBytes } = value;
  const names = text('area', area) + text('fileId', fileId) + text('label', label);
  return `"object":${braced(names + text('path', path) + number('sizeBytes', sizeBytes))},`;
}

function time(value: RecordDraft['time']): string {
  const { bootId, monotonicNs, offsetMs, source, utcOffsetMinutes, wallMs } = value;
  const clocks = text('bootId', bootId) + text('monotonicNs', monotonicNs);
  const deviation = number('offsetMs', offsetMs) + text('source', source);
  const wall = number('utcOffsetMinutes', utcOffsetMinutes) + number('wallMs', wallMs);
  return `"time":${braced(clocks + deviation + wall)},`;
}

function user(value: RecordEvent['user']): string {
  if (value === undefined) return '';
  return `"user":${braced(text('name', value.name) + number('uid', value.uid))},`;
}

/** An object's braces around members that each end in a comma. */
function braced(members: string): string {
  return `{${members.slice(0, -1)}}`;
}

function number(name: string, value: number | undefined): string {
  if (value === undefined) return '';
  if (!Number.isFinite(value)) throw new TypeError(`${name} is no number that JSON can say`);
  // JSON has no negative zero; ECMAScript's `String` gives "0" for it, as RFC 8785 does.
  return `"${name}":${String(value)},`;
}

function text(name: string, value: string | undefined): string {
  return value === undefined ? '' : `"${name}":${quoted(value)},`;
}

function list(values: readonly string[]): string {
  return `[${values.map(quoted).join(',')}]`;
}

/** Printable ASCII without quote and backslash: what most texts are, and what needs no escape. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quoted(value: string): string {
  return PLAIN.test(value) ? `"${value}"` : JSON.stringify(wellFormed(value));
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/**
 * `value` with each lone surrogate replaced by U+FFFD. A lone surrogate has no UTF-8 form, and
 * would give a record whose bytes depend on who encodes it.
 */
function wellFormed(value: string): string {
  return value.replace(LONE_SURROGATE, '\uFFFD');
}

function cleaned(value: JsonValue): JsonValue {
  if (typeof value === 'string') return wellFormed(value);
  if (typeof value !== 'object' || value === null) return value;
  if (isArray(value)) return value.map(cleaned);
  const members = Object.entries(value).map(([name, member]) => [
    wellFormed(name),
    cleaned(member),
  ]);
  return Object.fromEntries(members) as JsonObject;
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
