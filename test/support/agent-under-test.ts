/**
 * A real agent for privileged and end-to-end tests: the built program, a state directory of its
 * own, real sealfs and sessiond.
 *
 * Nothing of it survives a test: mounts are detached, processes killed, directories removed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runProgram, type Ran } from './run-program.js';
import type { TestUser } from './users.js';

const ROOT = new URL('../..', import.meta.url).pathname;

export interface AgentStart {
  readonly policy?: string;
  readonly protect?: readonly string[];
  readonly label?: string;
  readonly area?: string;
  readonly state?: string;
  readonly extra?: readonly string[];
  /** Personal mode: the agent runs as this user. */
  readonly as?: TestUser;
  /** Variables for the agent, beside PATH, HOME and LANG. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface CliOptions {
  readonly as?: TestUser;
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export class AgentUnderTest {
  readonly state: string;
  readonly process: ChildProcess;
  readonly log: string[];
  readonly exited: Promise<number | null>;

  private constructor(state: string, child: ChildProcess, log: string[]) {
    this.state = state;
    this.process = child;
    this.log = log;
    this.exited = new Promise((resolve) => child.once('exit', resolve));
  }

  /** Starts an agent and waits until it serves. Throws its log when it ends before. */
  static async start(options: AgentStart = {}): Promise<AgentUnderTest> {
    const state = options.state ?? makeStateDirectory(options.as);
    const args = [
      join(ROOT, 'dist/agent/main.js'),
      ...['--state', state, '--policy', options.policy ?? 'lab'],
      ...(options.protect ?? []).flatMap((directory) => ['--protect', directory]),
      ...(options.label === undefined ? [] : ['--label', options.label]),
      ...(options.area === undefined ? [] : ['--area', options.area]),
      ...(options.extra ?? []),
    ];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      ...(options.as === undefined ? {} : { uid: options.as.uid, gid: options.as.gid }),
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: options.as?.home ?? '/root',
        LANG: 'C.UTF-8',
        ...options.env,
      },
    });
    const log: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        log.push(line);
        if (process.env['SEALWAY_TEST_LOG'] === '1') process.stderr.write(`agent: ${line}\n`);
      });
    }
    const agent = new AgentUnderTest(state, child, log);
    await agent.ready();
    return agent;
  }

  private ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const channel = this.process.stdio[3] as NodeJS.ReadableStream;
      createInterface({ input: channel }).once('line', () => {
        resolve();
      });
      void this.exited.then((code) => {
        reject(new Error(`the agent ended with ${String(code)}:\n${this.log.join('\n')}`));
      });
    });
  }

  /** Runs the CLI against this agent. */
  cli(args: readonly string[], options: CliOptions = {}): Promise<Ran> {
    const [name = '', ...rest] = args;
    const words = [join(ROOT, 'dist/cli/main.js'), name, '--state', this.state, ...rest];
    return runProgram(process.execPath, words, options);
  }

  /** Starts the CLI with pipes and leaves it running. */
  spawnCli(args: readonly string[], options: CliOptions = {}): ChildProcess {
    const [name = '', ...rest] = args;
    const words = [join(ROOT, 'dist/cli/main.js'), name, '--state', this.state, ...rest];
    return spawn(process.execPath, words, {
      cwd: options.cwd ?? '/',
      env: { PATH: process.env['PATH'] ?? '', HOME: options.as?.home ?? '/root', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.as === undefined ? {} : { uid: options.as.uid, gid: options.as.gid }),
    });
  }

  /** The CLI's `--json` answer; throws what it wrote when it failed. */
  async json<T>(args: readonly string[], options: CliOptions = {}): Promise<T> {
    const [name = '', ...rest] = args;
    const ran = await this.cli([name, '--json', ...rest], options);
    if (ran.status !== 0) throw new Error(`${args.join(' ')}: ${ran.stderr}`);
    return JSON.parse(ran.stdout) as T;
  }

  /** Runs a program in a sealed session. */
  run(command: readonly string[], options: CliOptions = {}): Promise<Ran> {
    return this.cli(['run', '--', ...command], options);
  }

  /** As Ctrl-C does. */
  async stop(): Promise<number | null> {
    this.process.kill('SIGINT');
    return this.exited;
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exited;
  }

  /** Ends everything, whatever state the test left it in. */
  async dispose(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGINT');
      const late = setTimeout(() => this.process.kill('SIGKILL'), 15_000);
      await this.exited;
      clearTimeout(late);
    }
    await runProgram('pkill', ['-KILL', '-f', `--control ${this.state}/run/sealfs`]);
    await runProgram('pkill', ['-KILL', '-f', `--listen ${this.state}/run`]);
    await detachBelow(this.state);
    rmSync(this.state, { recursive: true, force: true });
  }
}

/** A fresh state directory that ordinary users may pass through, as the service's is. */
export function makeStateDirectory(owner?: TestUser): string {
  const state = mkdtempSync(join(tmpdir(), 'sealway-state-'));
  chmodSync(state, 0o711);
  if (owner !== undefined) chownSync(state, owner.uid, owner.gid);
  return state;
}

/** Lazily unmounts every sealfs mount at or below `directory`. */
export async function detachBelow(directory: string): Promise<void> {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(' - fuse.sealfs '))
    .map((line) => (line.split(' ')[4] ?? '').replaceAll('\\040', ' '))
    .filter((point) => point === directory || point.startsWith(`${directory}/`));
  for (const point of points.reverse()) await runProgram('umount', ['-l', point]);
}
