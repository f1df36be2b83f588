/**
 * Records appended, durable and chained, against bare SQLite inserts of the same bytes.
 *
 * A B A B … in one run, medians. Both sides: same directory, WAL, `synchronous = FULL`, same rows,
 * same batch size. B is one thread, one prepared statement and nothing else.
 * `--short` is for CI: function alone, no figure worth quoting.
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openTrail } from '#src/agent/records/open-trail.js';
import type { RecordEvent } from '#src/core/records/record.js';

const short = process.argv.includes('--short');
const RECORDS = short ? 2_000 : 60_000;
const ROUNDS = short ? 1 : 5;
/** What the writer may put into one transaction, and what the peer puts into each of its own. */
const BATCH = 4096;
/** What comes at once; the writer's queue is bounded. */
const BURST = 16_384;

interface Row {
  readonly seq: number;
  readonly previous: string;
  readonly hash: string;
  readonly body: string;
}

function eventNumber(number: number): RecordEvent {
  return {
    kind: 'operation',
    operation: number % 3 === 0 ? 'modify' : 'open',
    user: { uid: 1000 + (number % 50), name: 'employee' },
    session: 's-20261122-0001',
    application: {
      id: 'libreoffice-calc',
      path: '/usr/lib/libreoffice/program/soffice.bin',
      digest: 'b'.repeat(64),
      pid: 4000 + (number % 1000),
    },
    object: {
      fileId: number.toString(16).padStart(32, '0'),
      path: `/home/employee/Documents/waybills/export ${String(number)}.xlsx`,
      label: 'confidential',
      area: 'operations',
      sizeBytes: 20_480 + number,
    },
    decision: {
      verdict: 'allow',
      obligations: ['watermark'],
      ruleIds: ['open-confidential-in-session'],
      policyVersion: '7',
    },
    outcome: 'done',
  };
}

async function appendAll(directory: string): Promise<number> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const opened = await openTrail({
    stateDir: directory,
    signer: {
      device: 'a'.repeat(32),
      publicKey: raw.toString('hex'),
      sign: (message) => sign(null, Buffer.from(message), privateKey).toString('hex'),
    },
    limits: { maxBatch: BATCH, maxQueued: 20_000 },
  });
  if (!opened.ok) throw new Error(opened.error.detail);
  const trail = opened.value;
  let seconds = 0;
  for (let from = 0; from < RECORDS; from += BURST) {
    const count = Math.min(BURST, RECORDS - from);
    const events = Array.from({ length: count }, (_, at) => eventNumber(from + at));
    const start = process.hrtime.bigint();
    const results = await Promise.all(events.map((event) => trail.append(event)));
    seconds += secondsSince(start);
    if (results.some(({ ok }) => !ok)) throw new Error('a record was not acknowledged');
  }
  await trail.close();
  return seconds;
}

function insertAll(directory: string, rows: readonly Row[]): number {
  const database = new Database(join(directory, 'bare.db'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec(
    'CREATE TABLE record (seq INTEGER PRIMARY KEY, previous TEXT, hash TEXT, body TEXT)',
  );
  const insert = database.prepare('INSERT INTO record VALUES (?, ?, ?, ?)');
  const start = process.hrtime.bigint();
  for (let from = 0; from < rows.length; from += BATCH) {
    database.exec('BEGIN IMMEDIATE');
    for (const row of rows.slice(from, from + BATCH)) {
      insert.run(row.seq, row.previous, row.hash, row.body);
    }
    database.exec('COMMIT');
  }
  const seconds = secondsSince(start);
  database.close();
  return seconds;
}

function rowsOf(directory: string): readonly Row[] {
  const database = new Database(join(directory, 'trail.db'), { readonly: true });
  const rows = database.prepare('SELECT * FROM record ORDER BY seq').all() as Row[];
  database.close();
  return rows;
}

function secondsSince(start: bigint): number {
  return Number(process.hrtime.bigint() - start) / 1e9;
}

function median(values: readonly number[]): number {
  const ordered = values.toSorted((a, b) => a - b);
  return ordered[Math.floor(ordered.length / 2)] ?? Number.NaN;
}

async function round(): Promise<{ chained: number; bare: number; bytes: number }> {
  const directory = mkdtempSync(join(process.cwd(), '.bench-records-'));
  try {
    const chained = RECORDS / (await appendAll(directory));
    const rows = rowsOf(directory);
    const bare = rows.length / insertAll(directory, rows);
    const bytes = rows.reduce((sum, { body }) => sum + body.length, 0) / rows.length;
    return { chained, bare, bytes };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const rounds: { chained: number; bare: number; bytes: number }[] = [];
for (let at = 0; at < ROUNDS; at++) rounds.push(await round());
const chained = median(rounds.map((one) => one.chained));
const bare = median(rounds.map((one) => one.bare));
process.stdout.write(
  `${JSON.stringify({
    bench: 'records',
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, kernel: release() },
    versions: { node: process.version, sqlite: sqliteVersion() },
    records: RECORDS,
    rounds: ROUNDS,
    batch: BATCH,
    meanRecordBytes: Math.round(rounds[0]?.bytes ?? 0),
    chainedPerSecond: Math.round(chained),
    barePerSecond: Math.round(bare),
    ratio: Number((chained / bare).toFixed(3)),
    target: { ratio: 0.5, perSecond: 20_000 },
    short,
  })}\n`,
);

function sqliteVersion(): string {
  const database = new Database(':memory:');
  const version = String(database.prepare('SELECT sqlite_version()').pluck().get());
  database.close();
  return version;
}
