/**
 * The trail's database: gives records their place in the chain and makes them durable.
 *
 * Layer: agent. Synchronous; runs in the trail's worker thread (`trail-worker.ts`), so that an
 *   fsync never stops the agent's loop. The only owner of the head: nobody else assigns a sequence.
 * Order of writes: one transaction a batch, in WAL mode with `synchronous = FULL`: when `append`
 *   returns, the batch survives a power cut. A crash before that leaves none of the batch.
 * Not here: time, ids, gaps, queues (`trail-writer.ts`); signatures.
 */
import { closeSync, fchmodSync, openSync } from 'node:fs';
import Database from 'better-sqlite3';
import { chainHash, type ChainHead } from '../../core/records/chain.js';
import type { Checkpoint } from '../../core/records/checkpoint.js';
import { fail, succeed, type AppError, type Result } from '../../core/errors/result.js';
import { failFromThrown } from '../../platform/errno.js';
import { migrate } from '../../platform/sql/migrate.js';
import { codeOfSqlite, sqliteResultOf } from '../../platform/sql/sqlite-failure.js';
import { sha256Hex } from '../../platform/trail-crypto.js';
import { migration0001 } from './migrations/0001-trail.js';

export const TRAIL_MIGRATIONS = [migration0001] as const;

/** What the trail ends with, as its own last record says. */
export interface TrailEnd {
  readonly head: ChainHead;
  /** Canonical text of the last record; absent for an empty trail. */
  readonly lastBody?: string;
  /** The chain hash of a record, for comparing with the head file; absent when there is none. */
  readonly hashAtAnchor?: string;
}

export class TrailStore {
  private readonly database: Database.Database;
  private readonly insert: Database.Statement<[number, string, string, string]>;
  private head: ChainHead;

  private constructor(database: Database.Database) {
    this.database = database;
    this.insert = database.prepare(
      'INSERT INTO record (seq, previous, hash, body) VALUES (?, ?, ?, ?)',
    );
    this.head = readHead(database);
  }

  /**
   * Opens or creates the trail of `device` at `path`.
   *
   * @returns `E_TRAIL_FORMAT` (no database, or another device's trail), `E_TRAIL_VERSION`,
   *   `E_TRAIL_BROKEN`, `E_DISK_FULL`, `E_READ_ONLY`, `E_BUSY` or `E_IO`.
   */
  static open(path: string, device: string): Result<TrailStore> {
    let database: Database.Database | undefined;
    try {
      makePrivate(path);
      database = new Database(path, { timeout: 5000 });
      prepareConnection(database);
      const migrated = migrate(database, TRAIL_MIGRATIONS);
      const named = migrated.ok ? nameTrail(database, device) : migrated;
      if (named.ok) return succeed(new TrailStore(database));
      database.close();
      return named;
    } catch (thrown) {
      database?.close();
      const reason = sqliteResultOf(thrown);
      if (reason === undefined) return failFromThrown(thrown, 'open the trail');
      return fail(codeOfSqlite(thrown), `open the trail: ${reason}`, thrown);
    }
  }

  /** How the trail ends; with the hash of record `anchorSeq`, if it has one of that number. */
  end(anchorSeq?: number): TrailEnd {
    const body = this.column('body', this.head.seq);
    const atAnchor = anchorSeq === undefined ? undefined : this.column('hash', anchorSeq);
    return {
      head: this.head,
      ...(body === undefined ? {} : { lastBody: body }),
      ...(atAnchor === undefined ? {} : { hashAtAnchor: atAnchor }),
    };
  }

  /**
   * Chains and stores a batch, all of it or nothing.
   *
   * @param parts - for each record the canonical text before and after its sequence, in turn.
   * @returns the new head.
   * @throws SqliteError; the head is then as it was.
   */
  append(parts: readonly string[]): ChainHead {
    let { seq, hash } = this.head;
    this.database.exec('BEGIN IMMEDIATE');
    try {
      for (let at = 0; at + 1 < parts.length; at += 2) {
        seq += 1;
        const body = `${parts[at] ?? ''}${String(seq)}${parts[at + 1] ?? ''}`;
        const next = chainHash(sha256Hex, hash, body);
        this.insert.run(seq, hash, next, body);
        hash = next;
      }
      this.database.exec('COMMIT');
    } catch (thrown) {
      // SQLite has rolled back by itself after some errors (a full disk), and not after others.
      if (this.database.inTransaction) this.database.exec('ROLLBACK');
      throw thrown;
    }
    this.head = { seq, hash };
    return this.head;
  }

  /** Stores a signed head. One of a sequence that has one already is left out. */
  appendCheckpoint(checkpoint: Checkpoint): void {
    const { seq, hash, device, wallMs, publicKey, signature } = checkpoint;
    this.database
      .prepare(
        `INSERT INTO checkpoint (seq, hash, device, wall_ms, public_key, signature)
         SELECT ?, ?, ?, ?, ?, ? WHERE ? > (SELECT ifnull(max(seq), 0) FROM checkpoint)`,
      )
      .run(seq, hash, device, wallMs, publicKey, signature, seq);
  }

  close(): void {
    this.database.close();
  }

  private column(name: 'body' | 'hash', seq: number): string | undefined {
    const row = this.database.prepare(`SELECT ${name} AS value FROM record WHERE seq = ?`).get(seq);
    return (row as { value: string } | undefined)?.value;
  }
}

function prepareConnection(database: Database.Database): void {
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('trusted_schema = OFF');
  // Every 1000 pages is SQLite's default; larger batches make its own copying rarer.
  database.pragma('wal_autocheckpoint = 4000');
}

function nameTrail(
  database: Database.Database,
  device: string,
): Result<void, AppError<'E_TRAIL_FORMAT'>> {
  const row = database.prepare('SELECT device FROM trail').get() as { device: string } | undefined;
  if (row === undefined) {
    database
      .prepare('INSERT INTO trail (one, device, base_seq, base_hash) VALUES (1, ?, 0, ?)')
      .run(device, '0'.repeat(64));
    return succeed(undefined);
  }
  if (row.device === device) return succeed(undefined);
  return fail('E_TRAIL_FORMAT', `the trail belongs to device ${row.device}, this is ${device}`);
}

function readHead(database: Database.Database): ChainHead {
  const last = database.prepare('SELECT seq, hash FROM record ORDER BY seq DESC LIMIT 1').get();
  if (last !== undefined) return last as ChainHead;
  return database
    .prepare('SELECT base_seq AS seq, base_hash AS hash FROM trail')
    .get() as ChainHead;
}

/** Makes the file before SQLite does, for the owner alone; its journals take over the mode. */
function makePrivate(path: string): void {
  const descriptor = openSync(path, 'a', 0o600);
  fchmodSync(descriptor, 0o600);
  closeSync(descriptor);
}
