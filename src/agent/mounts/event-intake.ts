/**
 * Turns what sealfs reports into records, and tells sealfs once they are durable.
 *
 * Layer: agent. Spec: docs/spec/sealfs-control-v1.md, "sealfs → agent"; docs/spec/record-v1.md.
 * Order: record durable → `barrier-release` (the open goes on) → `events-ack` (sealfs forgets the
 *   event). A crash in between makes sealfs send the event again; `seen` drops it by its sequence,
 *   which the record carries in its details.
 * Deadlock: nothing here reads or writes a protected folder.
 */
import type { SealfsCall, SealfsEvent } from '../../contracts/sealfs-control.js';
import type {
  Operation,
  RecordEvent,
  RecordKind,
  RecordObject,
} from '../../core/records/record.js';

/** Appends one record; resolves with `ok` when it is durable. Never rejects. */
export type RecordSink = (event: RecordEvent) => Promise<{ readonly ok: boolean }>;

const KIND_OF: Record<SealfsEvent['op'], RecordKind> = {
  open: 'operation',
  close: 'operation',
  create: 'operation',
  'sealed-in': 'operation',
  rename: 'operation',
  unlink: 'operation',
  truncate: 'operation',
  relabel: 'operation',
  integrity: 'integrity',
  'key-withdrawn': 'key-withdrawal',
  dropped: 'gap',
  recovered: 'notice',
};

const OPERATION_OF: Partial<Record<SealfsEvent['op'], Operation>> = {
  open: 'open',
  close: 'open',
  create: 'modify',
  'sealed-in': 'modify',
  rename: 'modify',
  unlink: 'destroy',
  truncate: 'modify',
  relabel: 'relabel',
};

const OUTCOME_OF = { ok: 'done', refused: 'refused', error: 'failed' } as const;

/** The record of one event of the folder `folderId`, mounted at `directory`. */
export function recordOf(event: SealfsEvent, folderId: string, directory: string): RecordEvent {
  const operation = operationOf(event);
  return {
    kind: KIND_OF[event.op],
    ...(operation === undefined ? {} : { operation }),
    user: { uid: event.uid },
    ...(event.session === null ? {} : { session: event.session }),
    application: {
      ...(event.application === null ? {} : { id: event.application }),
      ...(event.executable === '' ? {} : { path: event.executable }),
      pid: event.pid,
    },
    ...(event.file === null ? {} : { object: objectOf(event.file, directory) }),
    channel: 'file-system',
    decision: decisionOf(event),
    outcome: OUTCOME_OF[event.outcome],
    details: {
      ...(event.details as RecordEvent['details']),
      event: event.op,
      view: event.view,
      errno: event.errno,
      folder: folderId,
      sequence: event.sequence,
      seenAtMs: event.timeMs,
      ...(event.op === 'dropped' ? { cause: 'overflow' } : {}),
    },
  };
}

function operationOf(event: SealfsEvent): Operation | undefined {
  const operation = OPERATION_OF[event.op];
  return operation === 'open' && event.details['write'] === true ? 'modify' : operation;
}

function objectOf(file: NonNullable<SealfsEvent['file']>, directory: string): RecordObject {
  return {
    ...(file.id === null ? {} : { fileId: file.id }),
    path: `${directory}/${file.path}`,
    ...(file.label === null ? {} : { label: file.label }),
    ...(file.area === null ? {} : { area: file.area }),
    ...(file.plainSize === null ? {} : { sizeBytes: file.plainSize }),
  };
}

/** A sealed view is what policy leaves to an outsider: a denied `open`, which was no error. */
function decisionOf(event: SealfsEvent): NonNullable<RecordEvent['decision']> {
  const denied = event.outcome === 'refused' || (event.op === 'open' && event.view === 'sealed');
  return {
    verdict: denied ? 'deny' : 'allow',
    obligations: [],
    ruleIds: event.ruleIds,
    ...(event.tableVersion === null ? {} : { policyVersion: event.tableVersion }),
  };
}

/** One folder's stream of events. */
export class EventIntake {
  private readonly folderId: string;
  private readonly directory: string;
  private readonly record: RecordSink;
  private readonly order: (call: SealfsCall) => Promise<unknown>;
  private newest: number;
  private acknowledged = 0;
  private waiting = 0;

  constructor(
    folder: { readonly id: string; readonly directory: string; readonly newestRecorded: number },
    record: RecordSink,
    order: (call: SealfsCall) => Promise<unknown>,
  ) {
    this.folderId = folder.id;
    this.directory = folder.directory;
    this.newest = folder.newestRecorded;
    this.record = record;
    this.order = order;
  }

  /** Takes one event in order of sequence; repeated ones are acknowledged again, not recorded. */
  take(event: SealfsEvent): void {
    if (event.sequence <= this.newest) {
      this.acknowledgeWhenIdle(event.sequence);
      return;
    }
    this.newest = event.sequence;
    this.waiting += 1;
    void this.record(recordOf(event, this.folderId, this.directory)).then(async ({ ok }) => {
      this.waiting -= 1;
      // Not durable: sealfs keeps the event, and an open that waits for it fails in time.
      if (!ok) return;
      if (event.details['barrier'] === true) {
        await this.order({ type: 'barrier-release', sequence: event.sequence });
      }
      this.acknowledgeWhenIdle(this.newest);
    });
  }

  /** One acknowledgement for everything that has become durable, not one for each event. */
  private acknowledgeWhenIdle(upTo: number): void {
    if (this.waiting > 0 || upTo <= this.acknowledged) return;
    this.acknowledged = upTo;
    void this.order({ type: 'events-ack', upTo });
  }
}
