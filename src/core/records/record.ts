/**
 * The record: one audit event, as it is chained, stored, exported and shown.
 *
 * Layer: core. Types alone.
 * Spec: docs/spec/record-v1.md, section 2. Change the spec first.
 * Not here: run-time checks (src/contracts/record.ts), bytes and hashes (`encode.ts`, `chain.ts`).
 * Never in a record: a document's content, a key, a passphrase.
 */

export const RECORD_VERSION = 1;

/** The operations that policy knows; a record of kind `operation` names one. */
export const OPERATIONS = [
  'open',
  'modify',
  'copy',
  'print',
  'capture',
  'export',
  'share',
  'relabel',
  'destroy',
] as const;
export type Operation = (typeof OPERATIONS)[number];

export const RECORD_KINDS = [
  'operation',
  'agent-start',
  'agent-stop',
  'gap',
  'session-start',
  'session-stop',
  'policy-change',
  'key-created',
  'key-rotation',
  'key-withdrawal',
  'folder-protected',
  'folder-unprotected',
  'folder-sealing',
  'integrity',
  'retention',
  'checkpoint',
  'notice',
] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

/** Why records may be missing, or may be out of the order in which things happened. */
export const GAP_CAUSES = [
  'overflow',
  'unclean-stop',
  'clock-backward',
  'clock-forward',
  'restore',
  'disk-full',
  'storage-failed',
] as const;
export type GapCause = (typeof GAP_CAUSES)[number];

export const OUTCOMES = ['done', 'refused', 'failed', 'pending'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const CLOCK_SOURCES = ['system', 'ntp', 'console'] as const;
export type ClockSource = (typeof CLOCK_SOURCES)[number];

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };
export type JsonObject = Readonly<Record<string, JsonValue>>;

export interface RecordTime {
  /** Milliseconds since 1970-01-01 UTC by the wall clock of the device. */
  readonly wallMs: number;
  readonly source: ClockSource;
  /** Known deviation of the wall clock from `source`, in milliseconds; absent when unknown. */
  readonly offsetMs?: number;
  /** Minutes that local time is ahead of UTC. */
  readonly utcOffsetMinutes: number;
  /** CLOCK_MONOTONIC in nanoseconds, in decimal digits: a JSON number could not carry it. */
  readonly monotonicNs: string;
  readonly bootId: string;
}

export interface RecordUser {
  readonly uid: number;
  readonly name?: string;
}

export interface RecordApplication {
  /** The entry of the policy's application list, where one matched. */
  readonly id?: string;
  readonly path?: string;
  /** SHA-256 of the executable, hex. */
  readonly digest?: string;
  readonly pid?: number;
}

export interface RecordObject {
  /** The sealed file's id for life, 32 hex digits. */
  readonly fileId?: string;
  readonly path?: string;
  readonly label?: string;
  readonly area?: string;
  readonly sizeBytes?: number;
}

export interface RecordDecision {
  readonly verdict: 'allow' | 'deny' | 'ask';
  readonly obligations: readonly string[];
  readonly ruleIds: readonly string[];
  readonly policyVersion?: string;
}

/** What the one who saw the event says of it. */
export interface RecordEvent {
  readonly kind: RecordKind;
  readonly operation?: Operation;
  readonly user?: RecordUser;
  readonly session?: string;
  readonly application?: RecordApplication;
  readonly object?: RecordObject;
  readonly channel?: string;
  readonly destination?: string;
  readonly decision?: RecordDecision;
  readonly outcome?: Outcome;
  readonly details?: JsonObject;
}

/** An event with everything but its place in the chain, which the trail's writer gives. */
export interface RecordDraft extends RecordEvent {
  readonly v: typeof RECORD_VERSION;
  /** UUIDv7. */
  readonly id: string;
  /** The device's id, 32 hex digits. */
  readonly device: string;
  readonly time: RecordTime;
}

/** A whole record. */
export interface TrailRecord extends RecordDraft {
  /** Place in the trail: 1 for the first, no number is ever left out or used twice. */
  readonly seq: number;
}
