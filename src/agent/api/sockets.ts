/**
 * The local API's sockets: `<run>/<uid>/agent.sock` for each person of this machine, and
 * `<run>/admin.sock` for root.
 *
 * Layer: agent. Spec: docs/spec/local-api-v1.md.
 * Attack: directories belong to the agent's account, so a user can neither replace a socket nor
 *   put one in place of another's; the socket becomes connectable (chmod, chown) only after bind.
 * Not here: routes.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { chmod, chown, mkdir, readFile, rm } from 'node:fs/promises';
import { watch, type FSWatcher } from 'node:fs';
import { dirname, join } from 'node:path';
import { fail, succeed, type Result } from '../../core/errors/result.js';
import { codeOfThrown } from '../../platform/errno.js';
import { parsePasswd, peopleOf } from '../../platform/passwd.js';
import type { Caller } from './caller.js';

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

const UNIX_PATH_LIMIT = 107;

export class LocalSockets {
  private readonly runDirectory: string;
  private readonly servers = new Map<string, Server>();
  private readonly callers = new WeakMap<Server, Caller>();
  private watcher: FSWatcher | undefined;

  constructor(runDirectory: string) {
    this.runDirectory = runDirectory;
  }

  /** The owner of the socket that `request` came through. */
  callerOf(request: IncomingMessage): Caller {
    const server = (request.socket as unknown as { server?: Server }).server;
    const caller = server === undefined ? undefined : this.callers.get(server);
    if (caller === undefined) throw new Error('a request came through no socket of ours');
    return caller;
  }

  /** Opens one socket for `caller`; an abandoned one of an agent that died is replaced. */
  async open(path: string, caller: Caller, listener: RequestListener): Promise<Result<void>> {
    if (Buffer.byteLength(path) > UNIX_PATH_LIMIT) {
      return fail(
        'E_NAME_TOO_LONG',
        `${path}: a socket path has at most 107 bytes; use a shorter --state`,
      );
    }
    try {
      // The mode is set by itself: the agent's umask takes it from a new directory.
      const made = await mkdir(dirname(path), { recursive: true });
      if (made !== undefined) await chmod(dirname(path), 0o711);
      await rm(path, { force: true });
      const server = createServer(listener);
      this.callers.set(server, caller);
      await listenOn(server, path);
      await chmod(path, 0o600);
      if (process.getuid?.() !== caller.uid) await chown(path, caller.uid, caller.gid);
      this.servers.set(path, server);
      return succeed(undefined);
    } catch (thrown) {
      return fail(codeOfThrown(thrown), `socket ${path}`, thrown);
    }
  }

  /** Opens a socket for each person in /etc/passwd, and for those who are added later. */
  async openForUsers(listener: RequestListener): Promise<Result<void>> {
    const refresh = async (): Promise<Result<void>> => {
      for (const user of peopleOf(parsePasswd(await readFile('/etc/passwd', 'utf8')))) {
        const path = userSocketPath(this.runDirectory, user.uid);
        if (this.servers.has(path)) continue;
        const opened = await this.open(path, { ...user, role: 'any-local-user' }, listener);
        if (!opened.ok) return opened;
      }
      return succeed(undefined);
    };
    this.watcher = watch('/etc', (_kind, name) => {
      if (name === 'passwd') void refresh();
    });
    return refresh();
  }

  async close(): Promise<void> {
    this.watcher?.close();
    for (const [path, server] of this.servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(path, { force: true });
    }
    this.servers.clear();
  }
}

/** Where the agent listens for the user `uid`. */
export function userSocketPath(runDirectory: string, uid: number): string {
  return join(runDirectory, String(uid), 'agent.sock');
}

function listenOn(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
