/**
 * Child processes: started by argument arrays, their output line by line, ended by a deadline.
 *
 * Layer: platform. Never a shell: no argument is ever parsed as a command.
 * Not here: restart policy and protocol (src/native-bridge).
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fail, succeed, type AppError, type Result } from '../core/errors/result.js';
import { errnoOf } from './errno.js';

export interface ProcessExit {
  /** Exit status, or `null` when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartOptions {
  readonly cwd?: string;
  /** The whole environment of the child. Default: an empty one, so that nothing leaks by accident. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called for each line the child writes, without its line end; long lines arrive whole. */
  readonly onLine?: (stream: 'stdout' | 'stderr', line: string) => void;
  /** Written to the child's stdin, which is then closed. Without it stdin is /dev/null. */
  readonly input?: string | Uint8Array;
  /** Descriptors of this process that the child gets as 3, 4, … */
  readonly extraDescriptors?: readonly number[];
  /** True puts the child in a process group of its own, which outlives this process. */
  readonly detached?: boolean;
}

export interface RunningProcess {
  readonly pid: number;
  /** Resolves once the process has gone and its output has been delivered. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Sends a signal; false when the process has gone. */
  signal(signal: NodeJS.Signals): boolean;
  /** SIGTERM, and SIGKILL after `deadlineMs`. Resolves when the process has gone. */
  stop(deadlineMs: number): Promise<ProcessExit>;
}

/**
 * Starts `command` with `args`.
 *
 * @returns once the kernel has executed it. `E_PROCESS_START` with the reason (not found, not
 *   executable) otherwise.
 */
export async function startProcess(
  command: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Result<RunningProcess, AppError<'E_PROCESS_START'>>> {
  const child = spawn(command, [...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...options.env },
    stdio: stdioFor(options),
    detached: options.detached ?? false,
  });
  const exited = exitOf(child);
  followOutput(child, options.onLine);
  const started = await startOf(child);
  if (started !== undefined) {
    return fail('E_PROCESS_START', `${command}: ${errnoOf(started) ?? started.message}`, started);
  }
  feed(child.stdin, options.input);
  return succeed(handleFor(child, exited));
}

/** What a finished program left: its exit and everything it wrote, cut at `maxOutputBytes`. */
export interface ProcessOutput extends ProcessExit {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/**
 * Runs `command` to its end and returns what it wrote.
 *
 * @returns `E_PROCESS_START` when it could not be started. A non-zero exit or a kill after
 *   `timeoutMs` is no failure of this function: look at `code` and `timedOut`.
 */
export async function runProcess(
  command: string,
  args: readonly string[],
  options: Omit<StartOptions, 'onLine' | 'detached'> & {
    readonly timeoutMs?: number;
    readonly maxOutputBytes?: number;
  } = {},
): Promise<Result<ProcessOutput, AppError<'E_PROCESS_START'>>> {
  const child = spawn(command, [...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...options.env },
    stdio: stdioFor({ ...options, onLine: () => undefined }),
  });
  const maxBytes = options.maxOutputBytes ?? 1024 * 1024;
  const stdout = collect(child.stdout, maxBytes);
  const stderr = collect(child.stderr, maxBytes);
  const exited = exitOf(child);
  const started = await startOf(child);
  if (started !== undefined) {
    return fail('E_PROCESS_START', `${command}: ${errnoOf(started) ?? started.message}`, started);
  }
  feed(child.stdin, options.input);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, options.timeoutMs ?? 30_000);
  const exit = await exited;
  clearTimeout(timer);
  return succeed({ ...exit, stdout: stdout(), stderr: stderr().toString('utf8'), timedOut });
}

function stdioFor(options: StartOptions): StdioOptions {
  const output = options.onLine === undefined ? 'ignore' : 'pipe';
  const input = options.input === undefined ? 'ignore' : 'pipe';
  return [input, output, output, ...(options.extraDescriptors ?? [])];
}

function startOf(child: ChildProcess): Promise<Error | undefined> {
  return new Promise((resolve) => {
    child.once('spawn', () => {
      resolve(undefined);
    });
    child.once('error', resolve);
  });
}

function exitOf(child: ChildProcess): Promise<ProcessExit> {
  return new Promise((resolve) => {
    // 'close' comes after 'exit' and after the last byte of output.
    child.once('close', (code, signal) => {
      resolve({ code, signal });
    });
  });
}

function feed(stdin: Writable | null, input: string | Uint8Array | undefined): void {
  if (stdin === null || input === undefined) return;
  // A child that does not read its input closes the pipe; its exit status tells the story.
  stdin.on('error', () => undefined);
  stdin.end(input);
}

function followOutput(child: ChildProcess, onLine: StartOptions['onLine']): void {
  if (onLine === undefined) return;
  const follow = (name: 'stdout' | 'stderr', stream: Readable | null): void => {
    if (stream === null) return;
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
      onLine(name, line);
    });
  };
  follow('stdout', child.stdout);
  follow('stderr', child.stderr);
}

function collect(stream: Readable | null, maxBytes: number): () => Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  stream?.on('data', (chunk: Buffer) => {
    if (size >= maxBytes) return;
    chunks.push(chunk.subarray(0, maxBytes - size));
    size += chunk.length;
  });
  return () => Buffer.concat(chunks);
}

function handleFor(child: ChildProcess, exited: Promise<ProcessExit>): RunningProcess {
  return {
    // Set from the moment 'spawn' was emitted on.
    pid: child.pid ?? -1,
    exited,
    signal: (signal) => child.kill(signal),
    stop: async (deadlineMs) => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
      const exit = await exited;
      clearTimeout(timer);
      return exit;
    },
  };
}
