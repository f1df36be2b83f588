/**
 * Reads trails: the database of a device (while its agent writes, too) and exported files.
 *
 * Layer: platform. Read-only; pages through the rows, so memory does not grow with the trail and
 *   no read transaction keeps the writer's log from being trimmed.
 * Not here: what makes a trail valid (src/core/records/verify.ts), writing (src/agent/records).
 */
import { open, readFile, type FileHandle } from 'node:fs/promises';
import Database from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { fail, succeed, type Result } from '../core/errors/result.js';
import type { Checkpoint } from '../core/records/checkpoint.js';
import { parseCheckpoint } from '../core/records/export-format.js';
import type { StoredRecord, TrailItem, TrailSource } from '../core/records/verify-types.js';
import { errnoOf, failFromThrown } from './errno.js';
import { codeOfSqlite, sqliteResultOf } from './sql/sqlite-failure.js';
import {
  TRAIL_APPLICATION_ID,
  TRAIL_SCHEMA_VERSION,
  type TrailDatabase,
  type TrailTable,
} from './sql/trail-tables.js';
import { headFileOf } from './trail-paths.js';

const PAGE_ROWS = 500;
const FOLLOW_PAUSE_MS = 200;
const SQLITE_MAGIC = 'SQLite format 3\0';

export interface TailOptions {
  /** How many of the last records come first. */
  readonly count: number;
  /** Goes on with each new record until `signal` is aborted. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

export interface TrailReader {
  readonly device: string;
  /** Everything, for `verifyTrail`; the head file is read when this is called. */
  source(): Promise<TrailSource>;
  /** The last records, oldest first, and then (with `follow`) each new one. */
  tail(options: TailOptions): AsyncIterable<StoredRecord>;
  close(): Promise<void>;
}

/**
 * Opens the database of a trail.
 *
 * @returns `E_TRAIL_NOT_FOUND`, `E_TRAIL_FORMAT` (no trail), `E_TRAIL_VERSION` (too new),
 *   `E_NO_PERMISSION` or another code of the file system.
 */
export async function openTrailForReading(path: string): Promise<Result<TrailReader>> {
  const magic = await readStart(path);
  if (!magic.ok) return magic;
  if (magic.value !== SQLITE_MAGIC) return fail('E_TRAIL_FORMAT', `${path} is no trail's database`);
  let database: Database.Database | undefined;
  try {
    database = new Database(path, { readonly: true, timeout: 5000 });
    const trail = checkTrail(database, path);
    if (trail.ok) return succeed(new DatabaseReader(database, path, trail.value));
    database.close();
    return trail;
  } catch (thrown) {
    database?.close();
    const reason = sqliteResultOf(thrown);
    if (reason === undefined) throw thrown;
    return fail(codeOfSqlite(thrown), `read ${path}: ${reason}`, thrown);
  }
}

/** True when the file begins as a SQLite database does; false for an export. */
export async function isTrailDatabase(path: string): Promise<Result<boolean>> {
  const magic = await readStart(path);
  return magic.ok ? succeed(magic.value === SQLITE_MAGIC) : magic;
}

async function readStart(path: string): Promise<Result<string>> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    return succeed(buffer.toString('latin1', 0, bytesRead));
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return fail('E_TRAIL_NOT_FOUND', path);
    return failFromThrown(thrown, `read ${path}`);
  } finally {
    await handle?.close();
  }
}

function checkTrail(database: Database.Database, path: string): Result<TrailTable> {
  if (database.pragma('application_id', { simple: true }) !== TRAIL_APPLICATION_ID) {
    return fail('E_TRAIL_FORMAT', `${path} is a database, but no trail`);
  }
  const version = Number(database.pragma('user_version', { simple: true }));
  if (version > TRAIL_SCHEMA_VERSION) {
    return fail('E_TRAIL_VERSION', `${path} has schema ${String(version)}`);
  }
  const row = database.prepare('SELECT * FROM trail').get() as TrailTable | undefined;
  return row === undefined ? fail('E_TRAIL_FORMAT', `${path} names no device`) : succeed(row);
}

class DatabaseReader implements TrailReader {
  readonly device: string;
  private readonly queries: Kysely<TrailDatabase>;
  private readonly path: string;
  private readonly trail: TrailTable;

  constructor(database: Database.Database, path: string, trail: TrailTable) {
    this.device = trail.device;
    this.queries = new Kysely({ dialect: new SqliteDialect({ database }) });
    this.path = path;
    this.trail = trail;
  }

  async source(): Promise<TrailSource> {
    // The head file first: the writer puts rows before it, so what it speaks of is there to read.
    const anchor = await readAnchor(this.path);
    return {
      base: { seq: this.trail.base_seq, hash: this.trail.base_hash },
      ...(anchor === undefined ? {} : { anchor }),
      items: this.items(),
    };
  }

  async *tail(options: TailOptions): AsyncIterable<StoredRecord> {
    let after = await this.seqBefore(options.count);
    const aborted = (): boolean => options.signal?.aborted === true;
    while (!aborted()) {
      const rows = await this.page(after);
      for (const row of rows) {
        if (aborted()) return;
        yield row;
        after = row.seq;
      }
      if (rows.length > 0) continue;
      if (options.follow !== true) return;
      await pause(FOLLOW_PAUSE_MS, options.signal);
    }
  }

  async close(): Promise<void> {
    await this.queries.destroy();
  }

  private async *items(): AsyncIterable<TrailItem> {
    // A row whose number was set below the first place must be seen as well.
    let after = Number.MIN_SAFE_INTEGER;
    for (;;) {
      const rows = await this.page(after);
      const last = rows.at(-1);
      if (last === undefined) break;
      const checkpoints = await this.checkpointsBetween(after, last.seq);
      for (const row of rows) {
        yield { type: 'record', ...row };
        for (let next = checkpoints[0]; next !== undefined && next.seq <= row.seq;) {
          yield { type: 'checkpoint', ...next };
          checkpoints.shift();
          next = checkpoints[0];
        }
      }
      after = last.seq;
    }
    for (const rest of await this.checkpointsBetween(after, Number.MAX_SAFE_INTEGER)) {
      yield { type: 'checkpoint', ...rest };
    }
  }

  private page(after: number): Promise<StoredRecord[]> {
    return this.queries
      .selectFrom('record')
      .select(['seq', 'previous', 'hash', 'body'])
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(PAGE_ROWS)
      .execute();
  }

  private async checkpointsBetween(after: number, through: number): Promise<Checkpoint[]> {
    return this.queries
      .selectFrom('checkpoint')
      .select([
        'seq',
        'hash',
        'device',
        'wall_ms as wallMs',
        'public_key as publicKey',
        'signature',
      ])
      .where('seq', '>', after)
      .where('seq', '<=', through)
      .orderBy('seq')
      .execute();
  }

  private async seqBefore(count: number): Promise<number> {
    const row = await this.queries
      .selectFrom('record')
      .select('seq')
      .orderBy('seq', 'desc')
      .offset(count)
      .limit(1)
      .executeTakeFirst();
    return row?.seq ?? Number.MIN_SAFE_INTEGER;
  }
}

async function readAnchor(path: string): Promise<Checkpoint | undefined> {
  try {
    return parseCheckpoint(await readFile(headFileOf(path), 'utf8')) ?? DAMAGED_ANCHOR;
  } catch {
    return undefined;
  }
}

/** Stands for a head file that is no checkpoint: its signature fits nothing. */
const DAMAGED_ANCHOR: Checkpoint = {
  seq: 0,
  hash: '0'.repeat(64),
  device: '',
  wallMs: 0,
  publicKey: '0'.repeat(64),
  signature: '0'.repeat(128),
};

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}
