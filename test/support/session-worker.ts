/**
 * A process inside a sealed session that does file operations on order (`in-session.mjs`).
 *
 * The answers come over a pipe of the test's own, which survives agent, sealfs and sessiond.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { AgentUnderTest } from './agent-under-test.js';
import type { TestUser } from './users.js';

const ROOT = new URL('../..', import.meta.url).pathname;
/** As text, since the checkout need not be readable for the session's user. */
const SCRIPT = readFileSync(new URL('in-session.mjs', import.meta.url), 'utf8');

export type WorkOrder =
  | { act: 'append' | 'overwrite'; path: string; at: number; text: string; length: number }
  | { act: 'save' | 'create'; path: string; text: string; length: number }
  | { act: 'trim'; path: string; size: number }
  | { act: 'close' | 'content'; path: string }
  | { act: 'digests'; paths: readonly string[] }
  | { act: 'view' };

export interface WorkAnswer {
  readonly id: number;
  readonly ok: boolean;
  readonly error?: string;
  /** How often the operation was begun anew because the file system had died. */
  readonly tries?: number;
  readonly base64?: string;
  readonly digests?: readonly string[];
  readonly namespace?: number;
}

export class SessionWorker {
  readonly process: ChildProcess;
  readonly gone: Promise<void>;
  private readonly waiting = new Map<number, (answer: WorkAnswer | null) => void>();
  private readonly stderr: Buffer[] = [];
  private nextId = 1;

  private constructor(child: ChildProcess) {
    this.process = child;
    this.gone = new Promise((resolve) =>
      child.once('close', () => {
        resolve();
      }),
    );
    void this.gone.then(() => {
      for (const answer of this.waiting.values()) answer(null);
      this.waiting.clear();
    });
    child.stdin?.on('error', () => undefined);
    child.stderr?.on('data', (part: Buffer) => this.stderr.push(part));
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.take(line);
    });
  }

  /** Resolves to `null`, with the reason in `refusals`, when there is no session to be had now. */
  static async start(
    agent: AgentUnderTest,
    user: TestUser,
    refusals: string[] = [],
  ): Promise<SessionWorker | null> {
    const words = ['run', '--state', agent.state, '--'];
    const script = [process.execPath, '--input-type=module', '-e', SCRIPT];
    const child = spawn(process.execPath, [`${ROOT}dist/cli/main.js`, ...words, ...script], {
      cwd: '/',
      env: { PATH: process.env['PATH'] ?? '', HOME: user.home, LANG: 'C.UTF-8' },
      stdio: ['pipe', 'pipe', 'pipe'],
      uid: user.uid,
      gid: user.gid,
    });
    const worker = new SessionWorker(child);
    const ready = await new Promise<WorkAnswer | null>((resolve) => worker.waiting.set(0, resolve));
    if (ready !== null) return worker;
    refusals.push(Buffer.concat(worker.stderr).toString('utf8').trim());
    return null;
  }

  /** Resolves to `null` when the session ended before there was an answer. */
  order(order: WorkOrder): Promise<WorkAnswer | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) {
      return Promise.resolve(null);
    }
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.process.stdin?.write(`${JSON.stringify({ ...order, id })}\n`);
    });
  }

  async end(): Promise<void> {
    this.process.stdin?.end();
    const late = setTimeout(() => this.process.kill('SIGKILL'), 5_000);
    await this.gone;
    clearTimeout(late);
  }

  private take(line: string): void {
    const answer = JSON.parse(line) as WorkAnswer;
    this.waiting.get(answer.id)?.(answer);
    this.waiting.delete(answer.id);
  }
}
