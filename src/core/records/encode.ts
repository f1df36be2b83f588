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
import type { JsonObject, JsonValue, RecordDraft, TrailRecord } from './record.js';

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

/**
 * The canonical text of a record whose sequence is not known yet: `before + String(seq) + after`
 * is what `encodeRecord` gives.
 *
 * Members that are absent or `undefined` do not appear. Neither part holds a line feed.
 */
export function encodeAroundSequence(draft: RecordDraft): readonly [string, string] {
  // Members stand in the order of their names' UTF-16 code units, as RFC 8785, 3.2.3 wants.
  const parts = [encodeHow(draft), encodeDetails(draft), encodeWhat(draft)];
  const before = parts.filter((part) => part !== '').join(',');
  return [`{${before},"seq":`, `,${encodeWho(draft)}}`];
}

function encodeHow(draft: RecordDraft): string {
  const { application, decision } = draft;
  return membersOf({
    application: application && {
      digest: application.digest,
      id: application.id,
      path: wellFormed(application.path),
      pid: application.pid,
    },
    channel: wellFormed(draft.channel),
    decision: decision && {
      obligations: decision.obligations,
      policyVersion: decision.policyVersion,
      ruleIds: decision.ruleIds,
      verdict: decision.verdict,
    },
    destination: wellFormed(draft.destination),
  });
}

function encodeDetails({ details }: RecordDraft): string {
  // Free names: an object literal would put "9" before "10", so the package does the order here.
  return details === undefined ? '' : `"details":${canonicalText(cleaned(details))}`;
}

function encodeWhat(draft: RecordDraft): string {
  const { object } = draft;
  return membersOf({
    device: draft.device,
    id: draft.id,
    kind: draft.kind,
    object: object && {
      area: object.area,
      fileId: object.fileId,
      label: object.label,
      path: wellFormed(object.path),
      sizeBytes: object.sizeBytes,
    },
    operation: draft.operation,
    outcome: draft.outcome,
  });
}

function encodeWho(draft: RecordDraft): string {
  const { time, user } = draft;
  return membersOf({
    session: wellFormed(draft.session),
    time: {
      bootId: time.bootId,
      monotonicNs: time.monotonicNs,
      offsetMs: time.offsetMs,
      source: time.source,
      utcOffsetMinutes: time.utcOffsetMinutes,
      wallMs: time.wallMs,
    },
    user: user && { name: wellFormed(user.name), uid: user.uid },
    v: draft.v,
  });
}

/** The members of an object as JSON text, without the braces. */
function membersOf(members: object): string {
  return JSON.stringify(members).slice(1, -1);
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;
const ANY_SURROGATE = /[\uD800-\uDFFF]/;

/**
 * `text` with each lone surrogate replaced by U+FFFD. A lone surrogate has no UTF-8 form, and
 * would give a record whose bytes depend on who encodes it.
 */
function wellFormed<T extends string | undefined>(text: T): T {
  if (text === undefined || !ANY_SURROGATE.test(text)) return text;
  return text.replace(LONE_SURROGATE, '\uFFFD') as T;
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
