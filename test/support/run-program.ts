/** Runs a program to its end and returns everything it wrote; for tests. */
import { spawn } from 'node:child_process';
import type { CliOptions } from './agent-under-test.js';

export interface Ran {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
}

/** Never rejects for what the program does; rejects when it cannot be started or hangs. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: CliOptions = {},
): Promise<Ran> {
  const { as: user, timeoutMs = 60_000 } = options;
  const child = spawn(command, [...args], {
    cwd: options.cwd ?? '/',
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      LANG: 'C.UTF-8',
      HOME: user?.home ?? '/root',
      ...options.env,
    },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.input);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (part: Buffer) => stdout.push(part));
  child.stderr?.on('data', (part: Buffer) => stderr.push(part));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      const wrote = Buffer.concat(stderr).toString('utf8');
      reject(
        new Error(
          `${command} ${args.join(' ')}: still running after ${String(timeoutMs)} ms\n${wrote}`,
        ),
      );
    }, timeoutMs);
    child.once('error', (cause) => {
      clearTimeout(timer);
      reject(cause);
    });
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      const bytes = Buffer.concat(stdout);
      resolve({
        status,
        signal,
        stdout: bytes.toString('utf8'),
        stdoutBytes: bytes,
        stderr: Buffer.concat(stderr).toString('utf8'),
      });
    });
  });
}
