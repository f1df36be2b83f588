/**
 * One agent for each state directory.
 *
 * Layer: platform.
 * How: an exclusive SQLite transaction on `lock.db` in the directory, never committed. SQLite
 *   holds it by an fcntl lock, which the kernel gives up when the process ends, however it ends;
 *   nothing stale can stay behind, and nothing is ever cleaned up by guessing whether a pid lives.
 * Why not an abstract Unix socket: its name is not protected by the directory's permissions, so
 *   any user could take it and keep the agent from starting; and it belongs to a network
 *   namespace, so two containers with the same directory would both win.
 * Why not flock(2): Node cannot call it without another native module.
 * Order of writes: the lock, then `agent.pid` (for the message only). A crash leaves both files
 *   and no lock.
 */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { fail, succeed, type AppError, type Result } from '../core/errors/result.js';
import { errnoOf } from './errno.js';
import { sqliteResultOf } from './sql/sqlite-failure.js';

export interface StateLock {
  /** Gives the directory up. Idempotent. */
  release(): void;
}

/**
 * Takes `stateDir`, which must exist, for this process.
 *
 * @returns `E_STATE_IN_USE` naming the holder's pid; `E_NO_PERMISSION` when the lock file cannot
 *   be opened; `E_IO` otherwise.
 */
export function acquireStateLock(
  stateDir: string,
): Result<StateLock, AppError<'E_STATE_IN_USE' | 'E_NO_PERMISSION' | 'E_IO'>> {
  let database: Database.Database | undefined;
  try {
    makePrivate(join(stateDir, 'lock.db'));
    database = new Database(join(stateDir, 'lock.db'), { timeout: 0 });
    // No journal: nothing is ever written, so there is nothing to roll back after a crash.
    database.pragma('journal_mode = OFF');
    database.exec('BEGIN EXCLUSIVE');
    writeFileSync(join(stateDir, 'agent.pid'), `${String(process.pid)}\n`, { mode: 0o644 });
  } catch (thrown) {
    database?.close();
    return failedLock(thrown, stateDir);
  }
  const held = database;
  return succeed({
    release: () => {
      held.close();
    },
  });
}

/**
 * Attack: who may read the file may lock it, and so keep the agent from starting. A file that exists
 * is never opened and closed here: that would give up a lock which this process holds.
 */
function makePrivate(path: string): void {
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  } catch (thrown) {
    if (errnoOf(thrown) !== 'EEXIST') throw thrown;
    chmodSync(path, 0o600);
  }
}

function failedLock(
  thrown: unknown,
  stateDir: string,
): { ok: false; error: AppError<'E_STATE_IN_USE' | 'E_NO_PERMISSION' | 'E_IO'> } {
  const code = sqliteResultOf(thrown) ?? '';
  if (code.startsWith('SQLITE_BUSY')) {
    return fail('E_STATE_IN_USE', `process ${readHolder(stateDir)} holds ${stateDir}`, thrown);
  }
  if (code.startsWith('SQLITE_CANTOPEN') || code.startsWith('SQLITE_READONLY')) {
    return fail('E_NO_PERMISSION', `cannot open ${join(stateDir, 'lock.db')}`, thrown);
  }
  const reason = code === '' ? errnoOf(thrown) : code;
  if (reason !== undefined && ['EACCES', 'EPERM', 'EROFS'].includes(reason)) {
    return fail('E_NO_PERMISSION', `cannot open ${join(stateDir, 'lock.db')}: ${reason}`, thrown);
  }
  if (reason === undefined) throw thrown;
  return fail('E_IO', `cannot lock ${stateDir}: ${reason}`, thrown);
}

function readHolder(stateDir: string): string {
  try {
    const pid = readFileSync(join(stateDir, 'agent.pid'), 'utf8').trim();
    return /^\d+$/.test(pid) ? pid : '(unknown)';
  } catch {
    return '(unknown)';
  }
}
