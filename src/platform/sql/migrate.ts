/**
 * Numbered forward migrations of a SQLite database, each in its own transaction.
 *
 * Layer: platform. A migration is a file that imports nothing that can change; it is never edited
 *   after a release, and there is no way back: a newer database is refused.
 * Order of writes: the migration's statements and the new `user_version` in one transaction; a
 *   crash leaves the old version, whole.
 */
import type Database from 'better-sqlite3';
import { fail, succeed, type AppError, type Result } from '../../core/errors/result.js';

export interface Migration {
  /** 1, 2, 3, … without holes. */
  readonly version: number;
  readonly sql: string;
}

/**
 * Brings `database` to the last of `migrations`.
 *
 * @returns the version it had before; `E_TRAIL_VERSION` when it is newer than this program.
 * @throws SqliteError when a statement fails; RangeError when the numbers have holes (a bug).
 */
export function migrate(
  database: Database.Database,
  migrations: readonly Migration[],
): Result<number, AppError<'E_TRAIL_VERSION'>> {
  migrations.forEach(({ version }, index) => {
    if (version !== index + 1) throw new RangeError(`migration ${String(version)} is out of place`);
  });
  const before = versionOf(database);
  if (before > migrations.length) {
    const known = String(migrations.length);
    return fail('E_TRAIL_VERSION', `schema ${String(before)}; this program knows up to ${known}`);
  }
  for (const { version, sql } of migrations.slice(before)) {
    database.transaction(() => {
      database.exec(sql);
      database.pragma(`user_version = ${String(version)}`);
    })();
  }
  return succeed(before);
}

/** The schema's version; 0 for an empty database. */
export function versionOf(database: Database.Database): number {
  return Number(database.pragma('user_version', { simple: true }));
}
