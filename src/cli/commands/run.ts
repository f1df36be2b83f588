/**
 * `sealway run -- CMD…` and `sealway open FILE`: start something in a sealed session.
 *
 * Layer: cli. The session-client program lends its standard streams to the session; signals that
 * reach this process are handed on, and its exit status is ours.
 */
import { spawn } from 'node:child_process';
import { createReadStream, existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import {
  FoldersAnswer,
  ImportAnswer,
  OpenAnswer,
  StatusAnswer,
} from '../../contracts/local-api.js';
import { parsePasswd } from '../../platform/passwd.js';
import { CommandFailure } from '../agent-client.js';
import type { Context } from '../context.js';

export interface RunOptions {
  readonly application?: string;
  /** Root has no sessions of its own: whose session it is. */
  readonly user?: string;
}

/** @returns the exit status of the program, 128 + signal when a signal ended it. */
export async function runInSession(
  context: Context,
  command: readonly string[],
  options: RunOptions,
): Promise<number> {
  const status = await context.agent.ask('status', {}, StatusAnswer);
  if (status.sessionSocket === null) {
    throw CommandFailure.of(
      'E_SESSION_REFUSED',
      'sealed sessions are not possible here; see sealway doctor',
    );
  }
  const application =
    options.application === undefined ? [] : ['--application', options.application];
  const uid = await sessionUser(options.user);
  return followChild(sessionClientPath(), [
    ...['--socket', status.sessionSocket],
    ...(uid === undefined ? [] : ['--user', String(uid)]),
    ...application,
    '--',
    ...command,
  ]);
}

/** The user whose session root asks for: as named, else who called sudo. Others ask for themselves. */
async function sessionUser(named: string | undefined): Promise<number | undefined> {
  if (named === undefined && process.getuid?.() !== 0) return undefined;
  if (named === undefined) {
    const caller = Number(process.env['SUDO_UID'] ?? '0');
    if (Number.isInteger(caller) && caller > 0) return caller;
    throw CommandFailure.of(
      'E_SESSION_USER',
      'root has no sealed sessions: name a user with --user',
    );
  }
  const users = parsePasswd(await readFile('/etc/passwd', 'utf8'));
  const found = users.find(({ name, uid }) => name === named || String(uid) === named);
  if (found === undefined)
    throw CommandFailure.of('E_SESSION_USER', `${named}: there is no such user`);
  return found.uid;
}

export async function openFile(
  context: Context,
  file: string,
  options: RunOptions,
): Promise<number> {
  const path = resolve(file);
  if (!existsSync(path)) throw CommandFailure.of('E_NOT_FOUND', path);
  const place = (await isInProtectedFolder(context, path))
    ? path
    : await importSealed(context, path);
  const answer = await context.agent.ask('open', { file: place }, OpenAnswer);
  return runInSession(context, answer.argv, { ...options, application: answer.application });
}

async function isInProtectedFolder({ agent }: Context, path: string): Promise<boolean> {
  const { folders } = await agent.ask('folders', {}, FoldersAnswer);
  return folders.some(({ directory }) => path.startsWith(`${directory}/`));
}

/** A sealed file lying anywhere is copied, sealed as it is, to where a session shows it in the clear. */
async function importSealed({ agent }: Context, path: string): Promise<string> {
  if (!(await beginsWithMagic(path))) {
    throw CommandFailure.of(
      'E_CONTAINER_MAGIC',
      `${path} is neither sealed nor in a protected folder: open it as usual`,
    );
  }
  const response = await agent.stream('import', { name: basename(path) }, createReadStream(path));
  const parts: Buffer[] = [];
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
  return ImportAnswer.parse(JSON.parse(Buffer.concat(parts).toString('utf8'))).file;
}

async function beginsWithMagic(path: string): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    return bytesRead === 8 && buffer.toString('latin1') === 'SEALWAY1';
  } finally {
    await handle.close();
  }
}

/** The native client of this installation: beside the checkout's build, or where the package says. */
function sessionClientPath(): string {
  const configured = process.env['SEALWAY_NATIVE_DIR'];
  if (configured !== undefined && configured !== '') return join(configured, 'session-client');
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json')) && dirname(directory) !== directory) {
    directory = dirname(directory);
  }
  return join(directory, 'build/native/bin/session-client');
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

function followChild(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: 'inherit' });
    for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
    child.once('error', (cause) => {
      reject(CommandFailure.of('E_PROCESS_START', cause.message));
    });
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
