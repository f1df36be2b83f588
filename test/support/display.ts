/**
 * A screen without a monitor, and hands for it: Xvfb with a cookie, xdotool.
 *
 * Layer: test support. The server belongs to an ordinary user, as a desktop's does, so that a
 * session reaches it through the user's socket and authority file alone. There is no window
 * manager: the keyboard goes to the window that a call names. Without `-noreset` the server starts
 * anew when its last client leaves, and refuses whoever comes meanwhile.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runProgram, type Ran } from './run-program.js';
import type { TestUser } from './users.js';
import { waitUntil } from './wait-until.js';

const WINDOW_DEADLINE_MS = 40_000;

export class Display {
  readonly name: string;
  private readonly user: TestUser;
  private readonly directory: string;
  private readonly server: ChildProcess;

  private constructor(name: string, user: TestUser, directory: string, server: ChildProcess) {
    this.name = name;
    this.user = user;
    this.directory = directory;
    this.server = server;
  }

  /** Starts a display of its own for `user`. */
  static async start(user: TestUser): Promise<Display> {
    mkdirSync('/tmp/.X11-unix', { recursive: true });
    chmodSync('/tmp/.X11-unix', 0o1777);
    const directory = mkdtempSync(join(tmpdir(), 'sealway-display-'));
    chownSync(directory, user.uid, user.gid);
    const cookie = randomBytes(16).toString('hex');
    const authority = join(directory, 'xauthority');
    // The server takes the cookie from any entry; clients look for the number, known only later.
    await xauth(user, authority, ':0', cookie);
    const server = spawn(
      'Xvfb',
      [
        '-displayfd',
        '3',
        '-noreset',
        '-screen',
        '0',
        '1280x900x24',
        '-nolisten',
        'tcp',
        '-auth',
        authority,
      ],
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe'], uid: user.uid, gid: user.gid },
    );
    const number = await displayNumber(server);
    await xauth(user, authority, `:${number}`, cookie);
    return new Display(`:${number}`, user, directory, server);
  }

  /** What a program of the user has in its environment to find the display. */
  get environment(): Readonly<Record<string, string>> {
    return { DISPLAY: this.name, XAUTHORITY: join(this.directory, 'xauthority') };
  }

  /** Ids of the visible windows whose title matches the regular expression. */
  async windows(title: string): Promise<string[]> {
    if (this.server.exitCode !== null || this.server.signalCode !== null) {
      throw new Error(
        `the display ended: ${String(this.server.signalCode ?? this.server.exitCode)}`,
      );
    }
    const found = await this.xdotool(['search', '--onlyvisible', '--name', title]);
    return found.stdout.split('\n').filter((id) => id !== '');
  }

  /** The id of the first visible window of that title. */
  async window(title: string, deadlineMs = WINDOW_DEADLINE_MS): Promise<string> {
    const what = `a window "${title}" is there`;
    return waitUntil(async () => (await this.windows(title))[0], deadlineMs, what).catch(
      async (cause: unknown) => {
        throw new Error(`${String(cause)}; there are: ${(await this.titles()).join(' | ')}`);
      },
    );
  }

  async windowGone(title: string, deadlineMs = WINDOW_DEADLINE_MS): Promise<void> {
    const gone = async (): Promise<boolean> => (await this.windows(title)).length === 0;
    await waitUntil(gone, deadlineMs, `no window "${title}" is there`);
  }

  /** Titles of all visible windows, for messages. */
  async titles(): Promise<string[]> {
    const ids = await this.windows('.');
    const names = ids.map(async (id) => (await this.xdotool(['getwindowname', id])).stdout.trim());
    return Promise.all(names);
  }

  /** Gives the window the keyboard and presses keys, as xdotool names them. */
  async keys(window: string, ...keys: string[]): Promise<void> {
    await this.xdotool(['windowfocus', '--sync', window]);
    await this.xdotool(['key', '--delay', '40', '--clearmodifiers', ...keys]);
  }

  async type(window: string, text: string): Promise<void> {
    await this.xdotool(['windowfocus', '--sync', window]);
    await this.xdotool(['type', '--delay', '15', text]);
  }

  private xdotool(args: readonly string[]): Promise<Ran> {
    return runProgram('xdotool', args, { as: this.user, env: this.environment });
  }

  async dispose(): Promise<void> {
    const ended = new Promise((resolve) => this.server.once('exit', resolve));
    if (this.server.exitCode === null && this.server.kill('SIGTERM')) await ended;
    rmSync(this.directory, { recursive: true, force: true });
  }
}

async function xauth(user: TestUser, file: string, display: string, cookie: string): Promise<void> {
  const ran = await runProgram('xauth', ['-q', '-f', file, 'add', display, '.', cookie], {
    as: user,
  });
  if (ran.status !== 0) throw new Error(`xauth: ${ran.stderr}`);
}

function displayNumber(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const channel = server.stdio[3] as NodeJS.ReadableStream;
    createInterface({ input: channel }).once('line', resolve);
    server.once('error', reject);
    server.once('exit', (code) => {
      reject(new Error(`Xvfb ended with ${String(code)}`));
    });
  });
}
