/** The attacker against a trail: each attack, and the first bad place that verification names. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { chainHash } from '#src/core/records/chain.js';
import { canonicalText } from '#src/core/records/encode.js';
import type { StoredRecord, TrailProblem, TrailReport } from '#src/core/records/verify-types.js';
import { sha256Hex } from '#src/platform/trail-crypto.js';
import { exportTrail, verifyTrailFile } from '#src/platform/trail-export.js';
import { openTrailForReading } from '#src/platform/trail-reader.js';
import { openEvent, openTestTrail, tamper, temporaryDirectory, testSigner } from '../support/trail.js';

const signer = testSigner();
const master = temporaryDirectory();
let copy = temporaryDirectory();

/** Records 1 (agent-start) to 32 (agent-stop); heads are signed at 1 and 32 and every ten. */
beforeAll(async () => {
  const trail = await openTestTrail(master.path, { signer, checkpointEveryRecords: 10, limits: { maxBatch: 5 } });
  for (let number = 2; number <= 31; number++) await trail.append(openEvent(number));
  await trail.close();
});
afterAll(() => {
  master.remove();
});
beforeEach(() => {
  copy = temporaryDirectory();
  cpSync(master.path, copy.path, { recursive: true });
});
afterEach(() => {
  copy.remove();
});

const database = (): string => join(copy.path, 'trail.db');
const headFile = (): string => `${database()}.head.json`;

async function verified(path = database(), publicKey?: string): Promise<TrailReport> {
  const report = await verifyTrailFile(path, publicKey === undefined ? {} : { publicKey });
  if (!report.ok) throw new Error(`${report.error.code}: ${report.error.detail}`);
  return report.value;
}

async function exported(): Promise<string> {
  const reader = await openTrailForReading(database());
  if (!reader.ok) throw new Error(reader.error.detail);
  const path = join(copy.path, 'export.jsonl');
  const lines: string[] = [];
  for await (const line of exportTrail(reader.value, 1)) lines.push(line);
  await reader.value.close();
  writeFileSync(path, lines.join(''));
  return path;
}

function rowOf(db: Database.Database, seq: number): StoredRecord {
  return db.prepare('SELECT * FROM record WHERE seq = ?').get(seq) as StoredRecord;
}

/** A record that says what the attacker wants, chained as a genuine one would be. */
function forged(db: Database.Database, seq: number, previous: string, path: string): StoredRecord {
  const value = JSON.parse(rowOf(db, 5).body) as Record<string, unknown>;
  const body = canonicalText({ ...value, seq, object: { path } });
  return { seq, previous, body, hash: chainHash(sha256Hex, previous, body) };
}

const put = (db: Database.Database, row: StoredRecord): unknown =>
  db.prepare('INSERT OR REPLACE INTO record VALUES (@seq, @previous, @hash, @body)').run(row);

const set = (column: string, seq: number, value: unknown) => (db: Database.Database): void => {
  db.prepare(`UPDATE record SET ${column} = ? WHERE seq = ?`).run(value, seq);
};

function rechain(db: Database.Database, from: number): void {
  let previous = rowOf(db, from - 1).hash;
  for (let seq = from; seq <= 32; seq++) {
    const { body } = rowOf(db, seq);
    const hash = chainHash(sha256Hex, previous, body);
    put(db, { seq, previous, hash, body });
    previous = hash;
  }
}

interface Attack {
  readonly id: string;
  readonly seq: number;
  readonly problem: TrailProblem;
  readonly act: (db: Database.Database) => void;
}

const ATTACKS: readonly Attack[] = [
  {
    id: 'body-byte',
    seq: 7,
    problem: 'changed',
    act: (db) => {
      set('body', 7, rowOf(db, 7).body.replace('/w/7.xlsx', '/w/8.xlsx'))(db);
    },
  },
  {
    id: 'body-not-canonical',
    seq: 7,
    problem: 'changed',
    act: (db) => {
      set('body', 7, rowOf(db, 7).body.replace('{', '{ '))(db);
    },
  },
  { id: 'body-garbage', seq: 1, problem: 'changed', act: set('body', 1, 'x') },
  { id: 'hash-byte', seq: 7, problem: 'changed', act: set('hash', 7, 'f'.repeat(64)) },
  { id: 'previous-byte', seq: 7, problem: 'changed', act: set('previous', 7, 'f'.repeat(64)) },
  { id: 'seq-moved-away', seq: 7, problem: 'reordered', act: set('seq', 7, 700) },
  { id: 'seq-below-first', seq: 1, problem: 'inserted', act: set('seq', 7, -7) },
  { id: 'deleted', seq: 7, problem: 'removed', act: (db) => db.exec('DELETE FROM record WHERE seq = 7') },
  { id: 'deleted-first', seq: 1, problem: 'removed', act: (db) => db.exec('DELETE FROM record WHERE seq = 1') },
  { id: 'deleted-run', seq: 7, problem: 'removed', act: (db) => db.exec('DELETE FROM record WHERE seq BETWEEN 7 AND 12') },
  {
    id: 'deleted-and-renumbered',
    seq: 7,
    problem: 'removed',
    act: (db) => {
      db.exec('DELETE FROM record WHERE seq = 7');
      for (let seq = 8; seq <= 32; seq++) set('seq', seq, seq - 1)(db);
    },
  },
  {
    id: 'swapped',
    seq: 7,
    problem: 'reordered',
    act: (db) => {
      const [a, b] = [rowOf(db, 7), rowOf(db, 9)];
      put(db, { ...a, seq: 9 });
      put(db, { ...b, seq: 7 });
    },
  },
  {
    id: 'inserted',
    seq: 7,
    problem: 'inserted',
    act: (db) => {
      for (let seq = 32; seq >= 7; seq--) set('seq', seq, seq + 1)(db);
      put(db, forged(db, 7, rowOf(db, 6).hash, '/forged'));
    },
  },
  {
    id: 'replaced-with-own-hash',
    seq: 7,
    problem: 'changed',
    act: (db) => {
      put(db, forged(db, 7, rowOf(db, 6).hash, '/forged'));
    },
  },
  {
    id: 'rewritten-from-there-on',
    seq: 2,
    problem: 'rewritten',
    act: (db) => {
      put(db, forged(db, 7, rowOf(db, 6).hash, '/forged'));
      rechain(db, 8);
    },
  },
  { id: 'tail-cut', seq: 30, problem: 'truncated', act: (db) => db.exec('DELETE FROM record WHERE seq >= 30; DELETE FROM checkpoint WHERE seq >= 30') },
  { id: 'emptied', seq: 1, problem: 'truncated', act: (db) => db.exec('DELETE FROM record; DELETE FROM checkpoint') },
  {
    id: 'checkpoint-signature',
    seq: 32,
    problem: 'checkpoint-forged',
    act: (db) => db.exec(`UPDATE checkpoint SET signature = '${'0'.repeat(128)}' WHERE seq = 32`),
  },
  {
    id: 'checkpoint-time',
    seq: 32,
    problem: 'checkpoint-forged',
    act: (db) => db.exec('UPDATE checkpoint SET wall_ms = wall_ms + 1 WHERE seq = 32'),
  },
];

describe('an untouched trail', () => {
  it('verifies', async () => {
    const report = await verified();
    expect(report).toMatchObject({ ok: true, records: 32, firstSeq: 1, lastSeq: 32, signedThrough: 32 });
    expect(report.publicKey).toBe(signer.publicKey);
  });

  it('verifies as an export', async () => {
    expect(await verified(await exported())).toMatchObject({ ok: true, records: 32, signedThrough: 32 });
  });

  it('refuses changes by SQL', () => {
    // The triggers stay: this is a program that makes a mistake, not an attacker.
    const trail = new Database(database());
    expect(() => trail.exec('UPDATE record SET body = body')).toThrow(/never changed/);
    expect(() => trail.exec('DELETE FROM record WHERE seq = 32')).toThrow(/never deleted/);
    expect(() => trail.exec("INSERT OR REPLACE INTO record VALUES (5, '', '', '')")).toThrow(/grows/);
    expect(() => trail.exec('DELETE FROM checkpoint')).toThrow(/never deleted/);
    trail.close();
  });
});

describe('an attack on the database', () => {
  it.each(ATTACKS)('$id', async ({ act, problem, seq }) => {
    tamper(database(), act);
    expect((await verified()).finding).toMatchObject({ problem, seq });
  });

  it.each(ATTACKS)('$id, seen in an export made afterwards', async ({ act, problem, seq }) => {
    tamper(database(), act);
    expect((await verified(await exported())).finding).toMatchObject({ problem, seq });
  });

  it('is found where an old copy was put back', async () => {
    const more = await openTestTrail(copy.path, { signer });
    await more.append(openEvent(99));
    await more.close();
    const newer = readFileSync(headFile());
    cpSync(master.path, copy.path, { recursive: true, force: true });
    writeFileSync(headFile(), newer);
    expect((await verified()).finding).toMatchObject({ seq: 33, problem: 'truncated' });
  });

  it('is declared by the next start where an old copy was put back', async () => {
    const more = await openTestTrail(copy.path, { signer });
    await more.append(openEvent(99));
    await more.close();
    const newer = readFileSync(headFile());
    cpSync(master.path, copy.path, { recursive: true, force: true });
    writeFileSync(headFile(), newer);
    await (await openTestTrail(copy.path, { signer })).close();
    expect(await verified()).toMatchObject({ ok: true, gaps: [{ seq: 33, cause: 'restore' }] });
  });

  it('is found where the device is another one', async () => {
    expect((await verified(database(), testSigner().publicKey)).finding).toMatchObject({
      problem: 'checkpoint-forged',
    });
  });

  it.each([
    { id: 'damaged', bytes: 'no checkpoint' },
    { id: 'emptied', bytes: '' },
  ])('on the head file: $id', async ({ bytes }) => {
    writeFileSync(headFile(), bytes);
    expect((await verified()).finding).toMatchObject({ problem: 'checkpoint-forged' });
  });

  it('on the head file: gone; the next start declares it', async () => {
    rmSync(headFile());
    await (await openTestTrail(copy.path, { signer })).close();
    expect((await verified()).gaps).toMatchObject([{ seq: 33, cause: 'restore' }]);
  });
});

describe('an attack on an export', () => {
  const edit = async (change: (lines: string[]) => string[]): Promise<string> => {
    const path = await exported();
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    writeFileSync(path, `${change(lines).join('\n')}\n`);
    return path;
  };
  // Line 0 is the header, 1 is record 1, 2 its checkpoint, 3 record 2, and so on up to 10.
  it.each([
    { id: 'line-removed', seq: 5, problem: 'removed', change: (l: string[]) => l.toSpliced(6, 1) },
    { id: 'line-doubled', seq: 6, problem: 'inserted', change: (l: string[]) => l.toSpliced(6, 0, l[6] ?? '') },
    { id: 'lines-swapped', seq: 5, problem: 'reordered', change: (l: string[]) => l.toSpliced(6, 2, l[7] ?? '', l[6] ?? '') },
    { id: 'end-cut', seq: 33, problem: 'truncated', change: (l: string[]) => l.slice(0, -1) },
    { id: 'half-cut', seq: 5, problem: 'truncated', change: (l: string[]) => l.slice(0, 6) },
    { id: 'tail-cut-end-kept', seq: 5, problem: 'truncated', change: (l: string[]) => [...l.slice(0, 6), l.at(-1) ?? ''] },
    { id: 'byte', seq: 5, problem: 'changed', change: (l: string[]) => l.with(6, (l[6] ?? '').replace('/w/5', '/w/6')) },
  ])('$id', async ({ change, problem, seq }) => {
    expect((await verified(await edit(change))).finding).toMatchObject({ problem, seq });
  });

  it.each([
    { id: 'not-json', change: (l: string[]) => l.with(6, 'x'), code: 'E_TRAIL_FORMAT' },
    { id: 'header-gone', change: (l: string[]) => l.slice(1), code: 'E_TRAIL_FORMAT' },
    { id: 'too-new', change: (l: string[]) => l.with(0, (l[0] ?? '').replace('"version":1', '"version":2')), code: 'E_TRAIL_VERSION' },
  ])('$id is refused', async ({ change, code }) => {
    expect(await verifyTrailFile(await edit(change))).toMatchObject({ ok: false, error: { code } });
  });
});

describe('no trail', () => {
  it('says so', async () => {
    const path = join(copy.path, 'nothing');
    expect(await verifyTrailFile(path)).toMatchObject({ error: { code: 'E_TRAIL_NOT_FOUND' } });
    writeFileSync(path, 'hello');
    expect(await verifyTrailFile(path)).toMatchObject({ error: { code: 'E_TRAIL_FORMAT' } });
    expect(await openTrailForReading(path)).toMatchObject({ error: { code: 'E_TRAIL_FORMAT' } });
  });

  it('too new is refused', async () => {
    tamper(database(), (db) => db.pragma('user_version = 2'));
    expect(await verifyTrailFile(database())).toMatchObject({ error: { code: 'E_TRAIL_VERSION' } });
  });
});
