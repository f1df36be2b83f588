/**
 * Starts one sealfs process over one folder, detached: it outlives the agent that started it.
 *
 * Layer: native-bridge. Spec: docs/spec/sealfs-control-v1.md, "Start".
 * Not here: supervision and what is sent over the control socket (`agent/mounts`).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
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
    stdio: ['ignore', 'pipe', log],
    cwd: '/',
  });
  closeSync(log);
  const outcome = await firstWord(child, start);
  if (!outcome.ok) child.kill('SIGKILL');
  child.stdout?.destroy();
  child.unref();
  return outcome;
}

function argumentsFor(start: SealfsStart): string[] {
  return [
    ...['--folder', start.folder, '--control', start.controlPath],
    ...['--spool', start.spoolPath, '--redo', start.redoPath],
  ];
}

/** The `ready` line, or the reason why there was none. */
function firstWord(
  child: ChildProcess,
  { deadlineMs, logPath }: SealfsStart,
): Promise<Result<number, AppError<'E_SEALFS_START'>>> {
  return new Promise((resolve) => {
    const refuse = (why: string): void => {
      clearTimeout(timer);
      resolve(fail('E_SEALFS_START', why));
    };
    const timer = setTimeout(() => {
      refuse(`not mounted after ${String(deadlineMs)} ms: ${lastLine(logPath)}`);
    }, deadlineMs);
    child.once('error', (cause) => {
      refuse(cause.message);
    });
    child.once('close', () => {
      refuse(lastLine(logPath));
    });
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const ready = SealfsReady.safeParse(parseOrNull(line));
      if (!ready.success) return;
      clearTimeout(timer);
      resolve(succeed(ready.data.pid));
    });
  });
}

/** What sealfs said last: the reason of its end. */
function lastLine(logPath: string): string {
  return readFileSync(logPath, 'utf8').trimEnd().split('\n').at(-1) ?? 'no word from sealfs';
}

function parseOrNull(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}
