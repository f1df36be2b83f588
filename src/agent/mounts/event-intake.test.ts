import { describe, expect, it } from '@jest/globals';
import type { SealfsCall, SealfsEvent } from '../../contracts/sealfs-control.js';
import { RecordEventSchema } from '../../contracts/record.js';
import type { RecordEvent } from '../../core/records/record.js';
import { EventIntake, recordOf } from './event-intake.js';

function eventOf(more: Partial<SealfsEvent>): SealfsEvent {
  return {
    type: 'event',
    sequence: 1,
    timeMs: 1_790_000_000_000,
    monotonicNs: '1',
    op: 'open',
    uid: 1000,
    pid: 42,
    executable: '/usr/bin/cat',
    session: null,
    application: null,
    file: { id: 'ab'.repeat(16), path: 'a/b.xlsx', label: 'internal', area: 'main', plainSize: 7 },
    outcome: 'ok',
    errno: null,
    view: 'plain',
    ruleIds: [],
    tableVersion: 'v1',
    details: {},
    ...more,
  };
}

const OPS: readonly SealfsEvent['op'][] = [
  'open',
  'close',
  'create',
  'sealed-in',
  'rename',
  'unlink',
  'truncate',
  'integrity',
  'key-withdrawn',
  'relabel',
  'dropped',
  'recovered',
];

describe('recordOf', () => {
  it.each(OPS)('makes a record that the trail takes of %s', (op) => {
    const record = recordOf(eventOf({ op }), 'f1', '/srv/a');
    expect(RecordEventSchema.safeParse(record).error).toBeUndefined();
  });

  it('takes-an-executable-that-could-not-be-read', () => {
    const record = recordOf(eventOf({ executable: '', file: null }), 'f1', '/srv/a');
    expect(RecordEventSchema.safeParse(record).error).toBeUndefined();
  });

  it('calls-a-sealed-view-a-denied-open', () => {
    expect(recordOf(eventOf({ view: 'sealed' }), 'f1', '/srv/a').decision?.verdict).toBe('deny');
  });

  it('calls-an-open-for-writing-modify', () => {
    expect(recordOf(eventOf({ details: { write: true } }), 'f1', '/a').operation).toBe('modify');
  });
});

interface Seen {
  readonly records: RecordEvent[];
  readonly calls: SealfsCall[];
  readonly intake: EventIntake;
}

function intakeThat(stores: boolean, newestRecorded = 0): Seen {
  const records: RecordEvent[] = [];
  const calls: SealfsCall[] = [];
  const intake = new EventIntake(
    { id: 'f1', directory: '/srv/a', newestRecorded },
    (record) => {
      records.push(record);
      return Promise.resolve({ ok: stores });
    },
    (call) => {
      calls.push(call);
      return Promise.resolve();
    },
  );
  return { records, calls, intake };
}

/** Lets everything that is ready run. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('EventIntake', () => {
  it('releases-a-barrier-only-after-the-record', async () => {
    const { calls, intake } = intakeThat(true);
    intake.take(eventOf({ details: { barrier: true } }));
    expect(calls).toEqual([]);
    await settle();
    expect(calls.map(({ type }) => type)).toEqual(['barrier-release', 'events-ack']);
  });

  it('keeps-the-event-with-sealfs-when-the-record-is-not-durable', async () => {
    const { calls, intake } = intakeThat(false);
    intake.take(eventOf({ details: { barrier: true } }));
    await settle();
    expect(calls).toEqual([]);
  });

  it('records-a-repeated-event-once', async () => {
    const { records, calls, intake } = intakeThat(true);
    intake.take(eventOf({ sequence: 1 }));
    intake.take(eventOf({ sequence: 1 }));
    await settle();
    expect(records).toHaveLength(1);
    expect(calls).toEqual([{ type: 'events-ack', upTo: 1 }]);
  });

  it('drops-what-the-trail-held-before-the-restart', async () => {
    const { records, calls, intake } = intakeThat(true, 9);
    intake.take(eventOf({ sequence: 9 }));
    await settle();
    expect(records).toEqual([]);
    expect(calls).toEqual([{ type: 'events-ack', upTo: 9 }]);
  });

  it('acknowledges-a-burst-once', async () => {
    const { calls, intake } = intakeThat(true);
    for (const sequence of [1, 2, 3]) intake.take(eventOf({ sequence }));
    await settle();
    expect(calls).toEqual([{ type: 'events-ack', upTo: 3 }]);
  });
});
