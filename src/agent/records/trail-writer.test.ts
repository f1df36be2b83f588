/** The writer against failing storage, full queues and moving clocks. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import {
  openEvent,
  openTestTrail,
  temporaryDirectory,
  testSigner,
} from '../../../test/support/trail.js';
import type { StoredRecord, TrailReport } from '../../core/records/verify-types.js';
import { TrailRecordSchema } from '../../contracts/record.js';
import { manualClock } from '../../platform/clock.js';
import { verifyTrailFile } from '../../platform/trail-export.js';
import { openTrailForReading } from '../../platform/trail-reader.js';
import { readHeadFile } from './head-file.js';
import type { OpenTrailBackend, TrailReply } from './trail-protocol.js';
import type { TrailAlarm } from './trail-writer.js';
import { openInlineBackend, openWorkerBackend } from './worker-backend.js';

let directory = temporaryDirectory();
const signer = testSigner();
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => {
  directory.remove();
});

const path = (): string => join(directory.path, 'trail.db');

async function records(): Promise<readonly ReturnType<typeof TrailRecordSchema.parse>[]> {
  const reader = await openTrailForReading(path());
  if (!reader.ok) throw new Error(reader.error.detail);
  const rows: StoredRecord[] = [];
  for await (const row of reader.value.tail({ count: 1e6 })) rows.push(row);
  await reader.value.close();
  return rows.map(({ body }) => TrailRecordSchema.parse(JSON.parse(body)));
}

async function report(): Promise<TrailReport> {
  const verified = await verifyTrailFile(path());
  if (!verified.ok) throw new Error(verified.error.detail);
  return verified.value;
}

const gaps = async (): Promise<unknown[]> =>
  (await records()).filter(({ kind }) => kind === 'gap').map(({ details }) => details);

/** A backend whose store fails while `broken` is set, and which can be killed. */
function faultyBackend(): {
  open: OpenTrailBackend;
  broken: boolean;
  kill(loseReply: boolean): void;
} {
  let kill: (loseReply: boolean) => void = () => undefined;
  const state = {
    broken: false,
    kill: (loseReply: boolean): void => {
      kill(loseReply);
    },
    open: ((setup) => {
      const inner = openInlineBackend(setup);
      let dead = false;
      let mute = false;
      let onReply: (reply: TrailReply) => void = () => undefined;
      let onGone: (reason: string) => void = () => undefined;
      kill = (loseReply) => {
        mute = true;
        // The requests under way are carried out; only nobody hears of it.
        setTimeout(
          () => {
            dead = true;
            void inner.terminate();
            onGone('killed');
          },
          loseReply ? 20 : 0,
        );
      };
      return {
        ...inner,
        post: (request) => {
          if (dead) return;
          if (request.type === 'append' && state.broken) {
            const { batch } = request;
            setImmediate(() => {
              onReply({ type: 'failed', batch, code: 'E_DISK_FULL' });
            });
          } else inner.post(request);
        },
        listen: (reply, gone) => {
          onReply = reply;
          onGone = gone;
          inner.listen((message) => {
            if (!mute) reply(message);
          }, gone);
        },
      };
    }) satisfies OpenTrailBackend,
  };
  return state;
}

describe('a clean run', () => {
  it('acknowledges in order, and each record fits the contract', async () => {
    const trail = await openTestTrail(directory.path, { signer });
    const receipts = await Promise.all([2, 3, 4].map((number) => trail.append(openEvent(number))));
    await trail.close();
    expect(receipts.map((one) => one.ok && one.value.seq)).toEqual([2, 3, 4]);
    expect((await records()).map(({ kind }) => kind)).toEqual([
      'agent-start',
      'operation',
      'operation',
      'operation',
      'agent-stop',
    ]);
    expect(await report()).toMatchObject({ ok: true, signedThrough: 5, gapCount: 0 });
  });

  it('goes on after a clean stop without a gap', async () => {
    await (await openTestTrail(directory.path, { signer })).close();
    await (await openTestTrail(directory.path, { signer })).close();
    expect(await report()).toMatchObject({ ok: true, records: 4, gapCount: 0 });
  });

  it('refuses after close, and an event without a JSON form', async () => {
    const trail = await openTestTrail(directory.path, { signer });
    const bad = await trail.append({ kind: 'notice', details: { n: Number.NaN } });
    const long = await trail.append({ kind: 'notice', details: { text: 'x'.repeat(70_000) } });
    await trail.close();
    expect(bad).toMatchObject({ error: { code: 'E_RECORD_INVALID' } });
    expect(long).toMatchObject({ error: { code: 'E_RECORD_INVALID' } });
    expect(await trail.append(openEvent(1))).toMatchObject({ error: { code: 'E_RECORD_CLOSED' } });
  });

  it('refuses the trail of another device', async () => {
    await (await openTestTrail(directory.path, { signer })).close();
    await expect(
      openTestTrail(directory.path, { signer: testSigner('e'.repeat(32)) }),
    ).rejects.toThrow('E_TRAIL_FORMAT');
  });

  it('works the same in the worker thread', async () => {
    const trail = await openTestTrail(directory.path, { signer, openBackend: openWorkerBackend });
    await Promise.all(Array.from({ length: 500 }, (_, at) => trail.append(openEvent(at))));
    await trail.close();
    expect(await report()).toMatchObject({ ok: true, records: 502, signedThrough: 502 });
  });
});

describe('an unclean stop', () => {
  it.each([
    { id: 'same-boot', bootId: undefined, rebooted: false },
    { id: 'after-reboot', bootId: 'another', rebooted: true },
  ])('$id is declared', async ({ bootId, rebooted }) => {
    const first = await openTestTrail(directory.path, { signer });
    await first.append(openEvent(2));
    // Never closed: as after kill -9.
    const clock = manualClock(1_700_000_100_000, bootId);
    await (await openTestTrail(directory.path, { signer, clock })).close();
    expect(await gaps()).toEqual([
      { cause: 'unclean-stop', sinceSeq: 2, sinceMs: 1_700_000_000_000, rebooted },
    ]);
  });
});

describe('the clock', () => {
  it('is declared when it stands before the last record at the start', async () => {
    await (await openTestTrail(directory.path, { signer })).close();
    const clock = manualClock(1_699_999_990_000);
    await (await openTestTrail(directory.path, { signer, clock })).close();
    expect(await gaps()).toMatchObject([{ cause: 'clock-backward', byMs: 10_000, sinceSeq: 2 }]);
  });

  it.each([
    { id: 'forward', to: 1_700_000_060_000, want: [{ cause: 'clock-forward', byMs: 60_000 }] },
    { id: 'backward', to: 1_699_999_940_000, want: [{ cause: 'clock-backward', byMs: 60_000 }] },
    { id: 'slewed', to: 1_700_000_001_000, want: [] },
  ])('set $id while running', async ({ to, want }) => {
    const clock = manualClock();
    const trail = await openTestTrail(directory.path, { signer, clock });
    clock.setWallMs(to);
    await trail.append(openEvent(2));
    clock.advanceMs(60_000);
    await trail.append(openEvent(3));
    await trail.close();
    expect(await gaps()).toEqual(want);
  });
});

describe('a queue that is full', () => {
  it('counts what it refuses and declares it', async () => {
    const alarms: TrailAlarm[] = [];
    const trail = await openTestTrail(directory.path, {
      signer,
      limits: { maxQueued: 10 },
      onAlarm: (alarm) => alarms.push(alarm),
    });
    const results = await Promise.all(
      Array.from({ length: 25 }, (_, at) => trail.append(openEvent(at))),
    );
    await trail.close();
    expect(results.filter(({ ok }) => ok)).toHaveLength(10);
    expect(results.at(-1)).toMatchObject({ error: { code: 'E_RECORD_QUEUE_FULL' } });
    expect(await gaps()).toMatchObject([{ cause: 'overflow', dropped: 15, byKind: { open: 15 } }]);
    expect(alarms).toMatchObject([{ kind: 'overflow' }]);
    expect(await report()).toMatchObject({ ok: true });
  });
});

describe('storage that fails', () => {
  it('answers at once, keeps the events, declares the gap when space returns', async () => {
    const alarms: string[] = [];
    const backend = faultyBackend();
    const trail = await openTestTrail(directory.path, {
      signer,
      openBackend: backend.open,
      limits: { retryMs: 20, maxQueued: 20 },
      onAlarm: ({ kind }) => alarms.push(kind),
    });
    backend.broken = true;
    const results = await Promise.all(
      Array.from({ length: 25 }, (_, at) => trail.append(openEvent(at))),
    );
    const later = await trail.append(openEvent(99));
    expect(new Set(results.map((one) => !one.ok && one.error.code))).toEqual(
      new Set(['E_RECORD_NOT_DURABLE', 'E_RECORD_QUEUE_FULL']),
    );
    expect(later.ok).toBe(false);
    expect(trail.status()).toMatchObject({ stalled: 'E_DISK_FULL', queued: 20 });
    backend.broken = false;
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(await trail.append(openEvent(100))).toMatchObject({ ok: true });
    await trail.close();
    expect(await gaps()).toMatchObject([
      { cause: 'disk-full', late: 20 },
      { cause: 'overflow', dropped: 6 },
    ]);
    expect((await records()).filter(({ kind }) => kind === 'operation')).toHaveLength(21);
    expect(alarms).toEqual(['overflow', 'disk-full', 'recovered']);
    expect(await report()).toMatchObject({ ok: true });
  });

  it.each([
    { id: 'before-storing', loseReply: false },
    { id: 'after-storing-unheard', loseReply: true },
  ])('a thread that dies $id: nothing lost, nothing twice', async ({ loseReply }) => {
    const backend = faultyBackend();
    const trail = await openTestTrail(directory.path, {
      signer,
      openBackend: backend.open,
      limits: { retryMs: 20 },
    });
    const appended = Array.from({ length: 9 }, (_, at) => trail.append(openEvent(at)));
    setImmediate(() => {
      backend.kill(loseReply);
    });
    await Promise.all(appended);
    await new Promise((resolve) => setTimeout(resolve, 150));
    await trail.append(openEvent(9));
    await trail.close();
    const ids = (await records()).flatMap(({ object }) =>
      object?.fileId === undefined ? [] : [object.fileId],
    );
    expect(ids.map((id) => parseInt(id, 16))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await report()).toMatchObject({ ok: true, gaps: [{ cause: 'storage-failed' }] });
  });
});

describe('the head file', () => {
  it('carries the newest signed head', async () => {
    const trail = await openTestTrail(directory.path, { signer, checkpointEveryRecords: 5 });
    for (let at = 0; at < 12; at++) await trail.append(openEvent(at));
    await trail.checkpoint();
    expect(await readHeadFile(path())).toMatchObject({ seq: 13 });
    await trail.close();
    expect(await readHeadFile(path())).toMatchObject({ seq: 14, device: signer.device });
  });
});

describe('tail with follow', () => {
  it('gives the last ones and then what comes', async () => {
    const trail = await openTestTrail(directory.path, { signer });
    for (let at = 2; at <= 5; at++) await trail.append(openEvent(at));
    const reader = await openTrailForReading(path());
    if (!reader.ok) throw new Error(reader.error.detail);
    const stop = new AbortController();
    const seen: number[] = [];
    setTimeout(() => void trail.append(openEvent(6)), 50);
    for await (const { seq } of reader.value.tail({
      count: 2,
      follow: true,
      signal: stop.signal,
    })) {
      seen.push(seq);
      if (seq === 6) stop.abort();
    }
    await reader.value.close();
    await trail.close();
    expect(seen).toEqual([4, 5, 6]);
  });
});
