/**
 * Runs a command for a stage, with a limit on its time.
 *
 * The command leads its own process group, and the whole group ends with it: a test that hangs
 * must not leave a mount or a session behind that makes the next stage hang too.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const RESULTS = join(ROOT, 'build', 'test-results');

const MINUTE_MS = 60_000;

/** Signals a process group; it may be gone already. */
function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/**
 * @returns {Promise<{ok: boolean, output: string, why: string}>} `output` only with `quiet`: what
 *   the command wrote, kept in build/test-results/NAME.log.
 */
export function run(name, command, { quiet = false, env = {}, minutes = 15, input = '' } = {}) {
  mkdirSync(RESULTS, { recursive: true });
  const log = join(RESULTS, `${name}.log`);
  const sink = quiet ? openSync(log, 'w') : 1;
  const [program, ...words] = command;
  const child = spawn(program, words, {
    cwd: ROOT,
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['pipe', sink, quiet ? sink : 2],
  });
  child.stdin.on('error', () => undefined); // a command that does not read its input
  child.stdin.end(input);
  const stop = () => {
    signalGroup(child.pid, 'SIGKILL');
    process.exit(130);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  return new Promise((resolve) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      signalGroup(child.pid, 'SIGKILL');
    }, minutes * MINUTE_MS);
    const finish = (ok, why) => {
      clearTimeout(timer);
      process.off('SIGINT', stop).off('SIGTERM', stop);
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
      if (quiet) closeSync(sink);
      resolve({ ok, why, output: quiet ? readFileSync(log, 'utf8') : '' });
    };
    child.once('error', (error) => {
      finish(false, `${program} does not start: ${error.message}`);
    });
    child.once('close', (status, signal) => {
      if (late) finish(false, `still running after ${String(minutes)} minutes; ended`);
      else finish(status === 0, signal ? `ended by ${signal}` : `exit status ${String(status)}`);
    });
  });
}

/** Runs a check that counts as one test, and prints what it said only when it failed. */
export async function check(report, name, command, options = {}) {
  const { ok, output, why } = await run(name, command, { ...options, quiet: true });
  if (ok) report.pass();
  else report.fail(name, `${output.trim().slice(-12_000)}\n(${why})`);
  return ok;
}
