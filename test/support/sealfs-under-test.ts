/**
 * A real sealfs over a folder of its own, with a test in the agent's place, and sessions that are
 * nothing but a process in its own mount namespace.
 *
 * Layer: test support. What it starts ends with it: mounts, processes, directories. Needs root.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type {
  FolderConfiguration,
  SealfsEvent,
  SealfsTable,
} from '#src/contracts/sealfs-control.js';
import { SealfsHealth, SealfsHello } from '#src/contracts/sealfs-control.js';
import { SealfsClient } from '#src/native-bridge/sealfs-client.js';
import { startSealfs } from '#src/native-bridge/sealfs-process.js';
import { detachBelow } from './agent-under-test.js';
import { runProgram, type Ran } from './run-program.js';
import type { TestUser } from './users.js';
import { waitUntil } from './wait-until.js';

const KEY_NAME = { area: 'main', label: 'internal', epoch: 1 };
const KEY = { ...KEY_NAME, key: '11'.repeat(32) };
const ATTACKERS = join(import.meta.dirname, 'attackers');

export interface SealfsOptions {
  /** Opens wait until their record is durable. */
  readonly barrier?: boolean;
  /** The folder lies on a tmpfs of so many bytes. */
  readonly tmpfsBytes?: number;
  /** Runs before the mount, with the bare folder. */
  readonly prepare?: (folder: string) => void;
}

/** A program inside or outside a session that is talked to line by line. */
class Talking {
  readonly process: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(process: ChildProcess) {
    this.process = process;
    if (process.stdout === null) throw new Error('the program has no output');
    this.lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  }

  /** The next line it wrote; null when it has ended. */
  async line(): Promise<string | null> {
    const next = await this.lines.next();
    return next.done === true ? null : next.value;
  }

  /** Lets it go on. */
  say(text = ''): void {
    this.process.stdin?.write(`${text}\n`);
  }
}

export class SealfsSession {
  private readonly holder: ChildProcess;
  private readonly user: TestUser;

  constructor(holder: ChildProcess, user: TestUser) {
    this.holder = holder;
    this.user = user;
  }

  /** Runs a program in the session as its user, or as `as`. */
  run(command: readonly string[], cwd: string, as: TestUser = this.user): Promise<Ran> {
    return runProgram('nsenter', this.enter(command, cwd, as), { env: { HOME: as.home } });
  }

  /** Runs test/support/attackers/`name` with Python. */
  script(name: string, args: readonly string[], cwd: string): Promise<Ran> {
    return this.run(['python3', join(ATTACKERS, name), ...args], cwd);
  }

  /** Starts the script and returns at once. */
  talk(name: string, args: readonly string[], cwd: string): Talking {
    const command = ['python3', join(ATTACKERS, name), ...args];
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    return new Talking(
      spawn('nsenter', this.enter(command, cwd, this.user), { stdio: [...stdio] }),
    );
  }

  end(): void {
    this.holder.kill('SIGKILL');
  }

  private enter(command: readonly string[], cwd: string, as: TestUser): string[] {
    const target = ['-t', String(this.holder.pid), '-m'];
    // nsenter's own --wd would be a directory of the namespace it comes from.
    const within = ['sh', '-c', 'cd "$0" && exec "$@"', cwd];
    return [...target, '-S', String(as.uid), '-G', String(as.gid), ...within, ...command];
  }
}

export class SealfsUnderTest {
  readonly base: string;
  readonly folder: string;
  readonly events: SealfsEvent[] = [];
  pid = 0;
  private connection: SealfsClient | null = null;
  private readonly options: SealfsOptions;
  private readonly sessions: SealfsSession[] = [];

  private constructor(options: SealfsOptions) {
    this.options = options;
    this.base = mkdtempSync(join(tmpdir(), 'sealway-sealfs-'));
    chmodSync(this.base, 0o711);
    this.folder = join(this.base, 'folder');
    mkdirSync(this.folder);
  }

  static async start(options: SealfsOptions = {}): Promise<SealfsUnderTest> {
    const made = new SealfsUnderTest(options);
    if (options.tmpfsBytes !== undefined) {
      const size = `size=${String(options.tmpfsBytes)}`;
      await runProgram('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', made.folder]);
    }
    chmodSync(made.folder, 0o777);
    options.prepare?.(made.folder);
    await made.serve();
    return made;
  }

  get client(): SealfsClient {
    if (this.connection === null) throw new Error('not connected');
    return this.connection;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Starts sealfs, also again after its end, and tells it all it needs. */
  async serve(): Promise<void> {
    const started = await startSealfs({
      folder: this.folder,
      controlPath: join(this.base, 'control'),
      spoolPath: join(this.base, 'spool'),
      redoPath: join(this.base, 'redo'),
      logPath: join(this.base, 'log'),
      deadlineMs: 20_000,
    });
    if (!started.ok) throw new Error(started.error.detail);
    this.pid = started.value;
    await this.connect();
    await this.order({ type: 'configure', folder: folderConfiguration() });
    await this.order({ type: 'table', table: tableFor(this.options.barrier ?? false) });
    await this.addKey();
  }

  /** A new connection, as an agent makes it that was started again. */
  async connect(): Promise<z.infer<typeof SealfsHello>> {
    const connected = await SealfsClient.connect(join(this.base, 'control'), {
      onEvent: (event) => this.events.push(event),
      onClose: () => undefined,
    });
    if (!connected.ok) throw new Error(connected.error.detail);
    this.connection = connected.value;
    const call = { type: 'hello', protocol: 1, agentPid: process.pid } as const;
    const answer = await this.connection.call(call, SealfsHello);
    if (!answer.ok) throw new Error(answer.error.detail);
    return answer.value;
  }

  async order(call: Parameters<SealfsClient['order']>[0]): Promise<void> {
    await this.ask(call, z.unknown());
  }

  async ask<T>(call: Parameters<SealfsClient['order']>[0], schema: z.ZodType<T>): Promise<T> {
    const answer = await this.client.call(call, schema);
    if (!answer.ok) throw new Error(answer.error.detail);
    return answer.value;
  }

  health(): Promise<SealfsHealth> {
    return this.ask({ type: 'health' }, SealfsHealth);
  }

  addKey(): Promise<void> {
    return this.order({ type: 'keys-add', keys: [KEY] });
  }

  withdrawKey(): Promise<void> {
    return this.order({ type: 'keys-withdraw', keys: [KEY_NAME] });
  }

  flush(): Promise<void> {
    return this.order({ type: 'flush' });
  }

  /** The first event that fits, also one that has not come yet. */
  event(fits: (event: SealfsEvent) => boolean, what: string): Promise<SealfsEvent> {
    return waitUntil(() => this.events.find(fits), 10_000, `sealfs tells of ${what}`);
  }

  async session(user: TestUser): Promise<SealfsSession> {
    const args = ['-m', '--propagation', 'slave', 'sleep', '1000000'];
    const holder = spawn('unshare', args, { stdio: 'ignore' });
    const pid = holder.pid ?? 0;
    const own = readlinkSync('/proc/self/ns/mnt');
    const theirs = await waitUntil(
      () => {
        const link = `/proc/${String(pid)}/ns/mnt`;
        return existsSync(link) && readlinkSync(link) !== own ? readlinkSync(link) : null;
      },
      10_000,
      'the session has a mount namespace',
    );
    const mountNamespace = theirs.slice('mnt:['.length, -1);
    const id = `s-${String(pid)}`;
    const session = { id, uid: user.uid, application: 'any', mountNamespace, pid };
    const made = new SealfsSession(holder, user);
    this.sessions.push(made);
    await this.order({ type: 'session-add', session });
    return made;
  }

  /** kill -9, and the process is gone. */
  async kill(): Promise<void> {
    process.kill(this.pid, 'SIGKILL');
    await this.untilGone();
  }

  /** A clean end: the folder lies bare below `folder`, sealed. */
  async unmount(): Promise<void> {
    for (const session of this.sessions.splice(0)) session.end();
    await this.order({ type: 'unmount', lazy: true });
    await this.untilGone();
  }

  async dispose(): Promise<void> {
    for (const session of this.sessions.splice(0)) session.end();
    this.connection?.close();
    if (isAlive(this.pid)) await this.kill();
    await detachBelow(this.base);
    if (this.options.tmpfsBytes !== undefined) await runProgram('umount', ['-l', this.folder]);
    rmSync(this.base, { recursive: true, force: true });
  }

  private untilGone(): Promise<boolean> {
    return waitUntil(() => !isAlive(this.pid), 10_000, 'sealfs has ended');
  }
}

function isAlive(pid: number): boolean {
  if (pid === 0) return false;
  try {
    return !readFileSync(`/proc/${String(pid)}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

/** Waits for the end of a process that was started with `talk`. */
export async function ended(talking: Talking): Promise<void> {
  if (talking.process.exitCode === null) await once(talking.process, 'close');
}

function folderConfiguration(): FolderConfiguration {
  const { area, label, epoch } = KEY_NAME;
  const exclude = ['.~lock.*', '*.tmp'];
  return { label, area, keyEpoch: epoch, deviceId: '22'.repeat(16), exclude, profile: false };
}

function tableFor(barrier: boolean): SealfsTable {
  const allow = { open: 'allow', modify: 'allow' } as const;
  return {
    version: '1',
    labels: [{ name: 'internal', level: 1, barrier, recordSealedOpens: true }],
    applications: [{ id: 'any', childrenPlain: true, anyExecutable: true }],
    executables: [],
    rows: [
      { uid: '*', application: 'any', label: 'internal', area: '*', ...allow, ruleIds: ['r1'] },
    ],
  };
}
