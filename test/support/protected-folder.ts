/** An agent with one protected folder of one user, for tests from outside. Nothing of it stays. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { AgentUnderTest, detachBelow, type AgentStart } from './agent-under-test.js';
import { newMarker } from './office-samples.js';
import { runProgram, type Ran } from './run-program.js';
import { ensureTestUser, type TestUser } from './users.js';

/** Files by name; `MARKER` in a text becomes the marker. */
export type FolderFiles = Readonly<Record<string, string | Uint8Array>>;

export interface TrailLine {
  readonly seq: number;
  readonly kind: string;
  readonly operation?: string;
  readonly outcome?: string;
  readonly user?: { readonly uid: number };
  readonly application?: { readonly id?: string; readonly path?: string };
  readonly object?: { readonly path?: string; readonly label?: string };
  readonly decision?: { readonly verdict: string; readonly ruleIds: readonly string[] };
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A program in a sealed session that has written its first line. */
export interface RunningInSession {
  readonly child: ChildProcess;
  readonly line: string;
}

export class ProtectedFolder {
  readonly agent: AgentUnderTest;
  readonly user: TestUser;
  readonly directory: string;
  /** The string that must not be seen outside. */
  readonly marker: string;
  /** A place of the user's outside the folder. */
  readonly outside: string;
  private readonly running: ChildProcess[] = [];

  private constructor(
    agent: AgentUnderTest,
    places: Pick<ProtectedFolder, 'user' | 'directory' | 'marker' | 'outside'>,
  ) {
    this.agent = agent;
    this.user = places.user;
    this.directory = places.directory;
    this.marker = places.marker;
    this.outside = places.outside;
  }

  static async start(files: FolderFiles, options: AgentStart = {}): Promise<ProtectedFolder> {
    const user = ensureTestUser('swtest1');
    const marker = newMarker();
    const directory = makeFolder(user, 'folder');
    const outside = makeFolder(user, 'outside');
    for (const [name, content] of Object.entries(files)) {
      const path = join(directory, name);
      writeFileSync(
        path,
        typeof content === 'string' ? content.replaceAll('MARKER', marker) : content,
      );
      chownSync(path, user.uid, user.gid);
    }
    const assigned = { label: 'internal', area: 'main', ...options };
    const agent = await AgentUnderTest.start({ ...assigned, protect: [directory] });
    return new ProtectedFolder(agent, { user, directory, marker, outside });
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Runs a program as the user, outside every session. */
  attack(command: readonly string[], input?: string): Promise<Ran> {
    const [name = '', ...args] = command;
    return runProgram(name, args, {
      as: this.user,
      cwd: this.outside,
      ...(input === undefined ? {} : { input }),
    });
  }

  inside(command: readonly string[], input?: string): Promise<Ran> {
    return this.agent.run(command, {
      as: this.user,
      ...(input === undefined ? {} : { input }),
    });
  }

  /** Starts a program in a sealed session and returns as soon as it has written a line. */
  async begin(command: readonly string[]): Promise<RunningInSession> {
    const child = this.agent.spawnCli(['run', '--', ...command], { as: this.user });
    this.running.push(child);
    return { child, line: await firstLineOf(child) };
  }

  /** The newest records, as the administrator reads them. */
  async trail(count = 200): Promise<TrailLine[]> {
    const ran = await this.agent.cli(['audit', 'tail', '--json', '--count', String(count)]);
    return ran.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as TrailLine);
  }

  async dispose(): Promise<void> {
    for (const child of this.running) child.kill('SIGKILL');
    await this.agent.dispose();
    await detachBelow(this.directory);
    rmSync(this.directory, { recursive: true, force: true });
    rmSync(this.outside, { recursive: true, force: true });
  }
}

/** A fresh directory of the user's in the user's home. */
export function makeFolder(user: TestUser, name: string): string {
  const directory = mkdtempSync(join(user.home, `${name}-`));
  chmodSync(directory, 0o700);
  chownSync(directory, user.uid, user.gid);
  return directory;
}

/** The first line that `child` writes; rejects with its errors when it ends without one. */
export function firstLineOf(child: ChildProcess): Promise<string> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('the child has no pipes');
  let errors = '';
  stderr.on('data', (part: Buffer) => (errors += part.toString('utf8')));
  return new Promise((resolve, reject) => {
    createInterface({ input: stdout }).once('line', resolve);
    child.once('close', (status) => {
      reject(new Error(`it ended with ${String(status)} and no line: ${errors}`));
    });
  });
}

/** Starts a program as `user` with pipes, outside every session. */
export function startAs(user: TestUser, command: readonly string[], cwd: string): ChildProcess {
  const [name = '', ...args] = command;
  return spawn(name, args, {
    cwd,
    uid: user.uid,
    gid: user.gid,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: user.home, LANG: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}
