/**
 * Where an agent keeps its state, and so where its sockets are.
 *
 * Layer: cli. Service mode: /var/lib/sealway. Personal mode: $XDG_STATE_HOME/sealway.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

export const SERVICE_STATE = '/var/lib/sealway';

/** The state directory of a personal agent of this account. */
export function personalStateDirectory(): string {
  const configured = process.env['XDG_STATE_HOME'];
  const base =
    configured !== undefined && isAbsolute(configured)
      ? configured
      : join(homedir(), '.local/state');
  return join(base, 'sealway');
}

/** Where `sealway up` of this account keeps its state when nobody says otherwise. */
export function defaultStateDirectory(): string {
  return process.getuid?.() === 0 ? SERVICE_STATE : personalStateDirectory();
}

export interface AgentLocation {
  readonly stateDirectory: string;
  readonly socketPath: string;
}

/** The socket to talk to: the service's, if it has one for this account, else the personal agent's. */
export function locateAgent(state: string | undefined): AgentLocation {
  const uid = process.getuid?.() ?? 0;
  const inState = (stateDirectory: string): AgentLocation => ({
    stateDirectory,
    socketPath:
      uid === 0
        ? join(stateDirectory, 'run', 'admin.sock')
        : join(stateDirectory, 'run', String(uid), 'agent.sock'),
  });
  if (state !== undefined) return inState(resolve(state));
  const service = inState(SERVICE_STATE);
  if (uid === 0 || existsSync(service.socketPath)) return service;
  return inState(personalStateDirectory());
}
