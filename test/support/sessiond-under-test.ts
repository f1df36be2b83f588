/**
 * A real sessiond with a test in the agent's place, which grants what the test says.
 *
 * Layer: test support. What it starts ends with it: sessions, directories.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  SessionBind,
  SessionCreated,
  SessionEnded,
  SessionGrant,
  SessionRequest,
} from '#src/contracts/sessiond.js';
import { nativeProgramPath } from '#src/native-bridge/native-programs.js';
import { SessiondProcess } from '#src/native-bridge/sessiond-process.js';
import { runProgram, type Ran } from './run-program.js';
import type { TestUser } from './users.js';

export type Answer = (request: SessionRequest, sessiond: SessiondProcess) => void;

export class SessiondUnderTest {
  readonly created: SessionCreated[] = [];
  readonly ended: SessionEnded[] = [];
  readonly requests: SessionRequest[] = [];
  readonly process: SessiondProcess;
  readonly directory: string;
  /** What happens on a request; each test may put its own here. */
  answer: Answer;
  /** Whether created sessions may run at once. */
  letGo = true;

  private constructor(process: SessiondProcess, directory: string) {
    this.process = process;
    this.directory = directory;
    this.answer = (request) => {
      process.grant(request.id, grantFor(request));
    };
    process.on('request', (request) => {
      this.requests.push(request);
      this.answer(request, process);
    });
    process.on('created', (created) => {
      this.created.push(created);
      if (this.letGo) process.go(created.session);
    });
    process.on('ended', (ended) => {
      this.ended.push(ended);
      process.release(ended.session);
    });
  }

  static async start(
    options: { readonly maxSessionsPerUser?: number } = {},
  ): Promise<SessiondUnderTest> {
    const directory = mkdtempSync(join(tmpdir(), 'sealway-sessiond-'));
    chmodSync(directory, 0o711);
    const started = await SessiondProcess.start({
      listenPath: join(directory, 'sessiond.sock'),
      personal: false,
      ...options,
    });
    if (!started.ok) throw new Error(started.error.detail);
    return new SessiondUnderTest(started.value, directory);
  }

  get socket(): string {
    return join(this.directory, 'sessiond.sock');
  }

  /** Runs a program in a session as `user` and waits for its end. */
  run(
    user: TestUser,
    command: readonly string[],
    options: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
  ): Promise<Ran> {
    return runProgram(
      nativeProgramPath('session-client'),
      ['--socket', this.socket, '--', ...command],
      { as: user, cwd: options.cwd ?? user.home, env: options.env ?? {}, timeoutMs: 50_000 },
    );
  }

  /** Starts a program in a session and returns as soon as it runs. */
  async begin(user: TestUser, command: readonly string[]): Promise<RunningProgram> {
    const before = this.created.length;
    const child = spawn(
      nativeProgramPath('session-client'),
      ['--socket', this.socket, '--', ...command],
      { uid: user.uid, gid: user.gid, cwd: user.home, env: {}, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const line = await firstLine(child);
    const created = this.created[before];
    if (created === undefined) throw new Error(`no session was made; it wrote ${line}`);
    return { client: child, line, created };
  }

  /** Waits until `ended` of the session came. */
  async untilEnded(session: string): Promise<SessionEnded> {
    for (;;) {
      const ended = this.ended.find((one) => one.session === session);
      if (ended !== undefined) return ended;
      await new Promise((resolve) => this.process.once('ended', resolve));
    }
  }

  async stop(): Promise<void> {
    await this.process.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface RunningProgram {
  readonly client: ChildProcess;
  /** The first line that the program wrote. */
  readonly line: string;
  readonly created: SessionCreated;
}

let lastSession = 0;

/** A plain grant for the request's own program; `change` replaces parts of it. */
export function grantFor(
  request: SessionRequest,
  change: Partial<SessionGrant> = {},
): SessionGrant {
  lastSession += 1;
  return {
    id: `test-${String(process.pid)}-${String(lastSession)}`,
    application: 'test',
    argv: request.argv,
    cwd: request.cwd,
    environment: { PATH: '/usr/bin:/bin', HOME: request.cwd, LANG: 'C.UTF-8' },
    binds: [],
    network: false,
    processes: 256,
    dbus: null,
    stdio: 'pass',
    seccomp: 'default',
    ...change,
  };
}

/** A directory of `user` that may be bound, with a bind for it. */
export function ownFolder(user: TestUser, name: string): { path: string; bind: SessionBind } {
  const path = mkdtempSync(join(user.home, `${name}-`));
  chownSync(path, user.uid, user.gid);
  return { path, bind: { mode: 'rw', source: path, target: path } };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    let errors = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const end = text.indexOf('\n');
      if (end !== -1) resolve(text.slice(0, end));
    });
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')));
    child.once('close', () => {
      reject(new Error(`it ended without a line: ${errors}`));
    });
  });
}
