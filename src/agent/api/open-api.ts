/**
 * Opens the local API: the routes, and the sockets that lead to them.
 *
 * Layer: agent. In personal mode there is one socket, and its owner is the administrator.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { succeed, type Result } from '../../core/errors/result.js';
import type { Logger } from '../../platform/logger.js';
import { parsePasswd } from '../../platform/passwd.js';
import type { AgentOptions } from '../options.js';
import type { Caller } from './caller.js';
import type { LocalHandlers } from './handlers.js';
import { buildRoutes } from './routes.js';
import { LocalSockets, userSocketPath } from './sockets.js';

export interface LocalApi {
  readonly close: () => Promise<void>;
}

export async function openApi(
  options: AgentOptions,
  handlers: LocalHandlers,
  log: Logger,
): Promise<Result<LocalApi>> {
  const runDirectory = join(options.stateDirectory, 'run');
  const sockets = new LocalSockets(runDirectory);
  const app = buildRoutes(handlers, (request) => sockets.callerOf(request), log);
  await app.ready();
  const listener = app.routing.bind(app);
  const own = await ownCaller();
  const service = options.mode === 'service';
  const path = service ? join(runDirectory, 'admin.sock') : userSocketPath(runDirectory, own.uid);
  const opened = await sockets.open(path, own, listener);
  if (!opened.ok) return opened;
  if (service) {
    const users = await sockets.openForUsers(listener);
    if (!users.ok) return users;
  }
  return succeed({
    close: async () => {
      await sockets.close();
      await app.close();
    },
  });
}

/** The account that runs the agent: root, or the user in personal mode. */
async function ownCaller(): Promise<Caller> {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  const users = parsePasswd(await readFile('/etc/passwd', 'utf8'));
  const found = users.find((user) => user.uid === uid);
  return { uid, gid, name: found?.name ?? String(uid), home: found?.home ?? '/', role: 'admin' };
}
