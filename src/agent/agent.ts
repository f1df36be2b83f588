/**
 * The agent: started, and stopped in the opposite order.
 *
 * Layer: agent, composition only. Order of start: base (lock, policy, keys, trail) → verdict table →
 *   sessions → folders → sockets. Of stop: sockets, sessions, folders, and last the record of the
 *   stop, so that nothing that happens goes unrecorded.
 */
import { fail, succeed, type Result } from '../core/errors/result.js';
import type { Logger } from '../platform/logger.js';
import { openApi } from './api/open-api.js';
import { openBase } from './base.js';
import { assignmentOf, localHandlers, type AgentServices } from './local-handlers.js';
import type { AgentOptions } from './options.js';
import { wireServices } from './wire-services.js';

export interface Agent {
  readonly services: AgentServices;
  /** Ends sessions, unmounts, closes the trail. Resolves when everything is sealed. */
  readonly stop: () => Promise<void>;
}

/** Starts everything; on a failure what was started is given up with the process. */
export async function startAgent(
  options: AgentOptions,
  log: Logger,
  onStopAsked: () => void,
): Promise<Result<Agent>> {
  const base = await openBase(options, log);
  if (!base.ok) return base;
  const { lock, keys, trail, policy } = base.value;
  const wired = await wireServices(base.value, options, log, onStopAsked);
  if (!wired.ok) return wired;
  const { tables, sessions, mounts } = wired.value;
  await tables.recompile();
  if (options.useSealfs) {
    const started = await sessions.start();
    if (!started.ok) log.warn('no sealed sessions here', { reason: started.error.detail });
  }
  await mounts.startAll((folder, problem) => {
    log.error('a folder is not guarded', { folder, problem });
  });
  const api = await openApi(options, localHandlers(wired.value), log);
  if (!api.ok) return api;
  await policy.watch();
  const stop = async (): Promise<void> => {
    await api.value.close();
    await policy.close();
    tables.close();
    await sessions.stop();
    await mounts.stopAll();
    await trail.close();
    await keys.close();
    lock.release();
  };
  return succeed({ services: wired.value, stop });
}

/** Protects what was asked for on the command line; the first failure ends the start. */
export async function protectAtStart(agent: Agent, log: Logger): Promise<Result<void>> {
  const { options, mounts, set } = agent.services;
  const wanted = {
    ...(options.label === undefined ? {} : { label: options.label }),
    ...(options.area === undefined ? {} : { area: options.area }),
  };
  for (const directory of options.protect) {
    const assigned = assignmentOf(set(), { name: '' }, { directory, ...wanted });
    if (!assigned.ok) return assigned;
    const done = await mounts.protect({
      ...assigned.value,
      directory,
      signal: new AbortController().signal,
      report: (event) => {
        if (event.type === 'finding') log.warn('not sealed', { ...event });
      },
    });
    if (!done.ok) return fail(done.error.code, `${directory}: ${done.error.detail}`);
    log.info(`protected ${directory}`, { ...done.value });
  }
  return succeed(undefined);
}
