/**
 * Starts one sealfs process over one folder, detached: it outlives the agent that started it.
 *
 * Layer: native-bridge. Spec: docs/spec/sealfs-control-v1.md, "Start".
 * Not here: supervision and what is sent over the control socket (`agent/mounts`).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { SealfsReady } from '../contracts/sealfs-control.js';
import { fail, succeed, type AppError, type Result } from '../core/errors/result.js';
import { nativeProgramPath } from './native-programs.js';

export interface SealfsStart {
  readonly folder: string;
  readonly controlPath: string;
  readonly spoolPath: string;
  readonly redoPath: string;
  /** sealfs's own log lines go to this file, since the agent may die before sealfs does. */
  readonly logPath: string;
  /** Milliseconds to wait for the mount. */
  readonly deadlineMs: number;
}

/**
 * Starts sealfs and waits until the folder is mounted and the control socket listens.
 *
 * @returns sealfs's process id. `E_SEALFS_START` with sealfs's own last line when it could not
 *   mount, or when it said nothing before the deadline (it is killed then).
 */
export async function startSealfs(
  start: SealfsStart,
): Promise<Result<number, AppError<'E_SEALFS_START'>>> {
  const log = openSync(start.logPath, 'a', 0o600);
  const child = spawn(nativeProgramPath('sealfs'), argumentsFor(start), {
    detached: true,
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
  });
  closeSync(log);
  const outcome = await firstWord(child, start.deadlineMs);
  if (!outcome.ok) child.kill('SIGKILL');
  child.stdout.destroy();
  child.stderr.destroy();
  child.unref();
  return outcome;
}

function argumentsFor(start: SealfsStart): string[] {
  return [
    ...['--folder', start.folder, '--control', start.controlPath],
    ...['--spool', start.spoolPath, '--redo', start.redoPath, '--log', start.logPath],
  ];
}

/** The `ready` line, or the reason why there was none. */
function firstWord(
  child: ChildProcess,
  deadlineMs: number,
): Promise<Result<number, AppError<'E_SEALFS_START'>>> {
  return new Promise((resolve) => {
    let lastError = 'no word from sealfs';
    const timer = setTimeout(() => {
      resolve(fail('E_SEALFS_START', `not mounted after ${String(deadlineMs)} ms: ${lastError}`));
    }, deadlineMs);
    const finish = (result: Result<number, AppError<'E_SEALFS_START'>>): void => {
      clearTimeout(timer);
      resolve(result);
    };
    child.once('error', (cause) => {
      finish(fail('E_SEALFS_START', cause.message, cause));
    });
    child.once('close', () => {
      finish(fail('E_SEALFS_START', lastError));
    });
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on('line', (line) => (lastError = line));
    }
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const ready = SealfsReady.safeParse(parseOrNull(line));
        if (ready.success) finish(succeed(ready.data.pid));
      });
    }
  });
}

function parseOrNull(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}
