/**
 * SQLite's result codes as codes of the catalogue.
 *
 * Layer: platform. The counterpart of `errno.ts` for what better-sqlite3 throws.
 */
import type { ErrorCode } from '../../core/errors/catalogue.js';
import { errnoOf } from '../errno.js';

const CODE_OF_RESULT: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ['SQLITE_FULL', 'E_DISK_FULL'],
  ['SQLITE_READONLY', 'E_READ_ONLY'],
  ['SQLITE_BUSY', 'E_BUSY'],
  ['SQLITE_LOCKED', 'E_BUSY'],
  ['SQLITE_PERM', 'E_NO_PERMISSION'],
  ['SQLITE_AUTH', 'E_NO_PERMISSION'],
  ['SQLITE_NOTADB', 'E_TRAIL_FORMAT'],
  ['SQLITE_CORRUPT', 'E_TRAIL_BROKEN'],
];

/** SQLite's own name of what was thrown ("SQLITE_FULL"); `undefined` for other errors. */
export function sqliteResultOf(thrown: unknown): string | undefined {
  const code = errnoOf(thrown);
  return code?.startsWith('SQLITE_') === true ? code : undefined;
}

/** The catalogue's code for a SQLite error; `E_IO` where the table is silent. */
export function codeOfSqlite(thrown: unknown): ErrorCode {
  const result = sqliteResultOf(thrown) ?? '';
  return CODE_OF_RESULT.find(([prefix]) => result.startsWith(prefix))?.[1] ?? 'E_IO';
}
