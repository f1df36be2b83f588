/**
 * Makes the agent's services and ties them to each other.
 *
 * Layer: agent, composition only: every line names what something gets; nothing is decided here.
 */
import { join } from 'node:path';
import { succeed, type Result } from '../core/errors/result.js';
import type { PolicySet } from '../core/policy/policy-set.js';
import type { Logger } from '../platform/logger.js';
import type { AgentBase } from './base.js';
import { DecisionService } from './decisions/decision-service.js';
import { TableService } from './decisions/table-service.js';
import { ExchangeService } from './exchange/exchange-service.js';
import { assignmentOf, type AgentServices } from './local-handlers.js';
import { FolderStore } from './mounts/folder-store.js';
import type { RecordSink } from './mounts/event-intake.js';
import { keyLookupOf, localSealing } from './mounts/local-sealing.js';
import { MountService } from './mounts/mount-service.js';
import { keysOnDevice, provisionOf } from './mounts/provision.js';
import type { AgentOptions } from './options.js';
import { NamedUsers } from './records/named-users.js';
import { OwnRecords } from './records/own-records.js';
import { SessionService } from './sessions/session-service.js';

export interface WiredServices extends AgentServices {
  readonly tables: TableService;
}

export async function wireServices(
  base: AgentBase,
  options: AgentOptions,
  log: Logger,
  stop: () => void,
): Promise<Result<WiredServices>> {
  const { keys, trail, policy } = base;
  const { stateDirectory } = options;
  const store = await FolderStore.open(join(stateDirectory, 'folders.json'));
  if (!store.ok) return store;
  const set = currentSetOf(base);
  const names = new NamedUsers();
  const record: RecordSink = (event) => trail.append(names.withName(event));
  const decisions = new DecisionService(set, keys.device);
  const tables = tablesFor(base, log);
  const ownRecords = new OwnRecords(stateDirectory);
  const sessions: SessionService = new SessionService({
    stateDirectory,
    personal: options.mode === 'personal',
    decisions,
    record,
    set,
    log,
    folders: () => mounts.list(),
    profileOf: (user) => mounts.profileOf(user.uid, user.gid),
    broadcast: (call) => mounts.broadcast(call),
  });
  const mounts: MountService = new MountService({
    store: store.value,
    stateDirectory,
    sealing: sealingFor(base, set),
    record,
    newestRecorded: await ownRecords.newestEventOfFolders(),
    provisionFor: (folder) => provisionOf(folder, { keys, tables, sessions, set }),
    prepareKeys: async ({ area, label }) => {
      const key = await keys.current(area, label);
      return key.ok ? succeed(undefined) : key;
    },
    onProfile: (uid) => {
      tables.addProfile(uid);
    },
    useSealfs: options.useSealfs,
  });
  const exchange = exchangeFor(base, options, { decisions, set, mounts });
  const startedAtMs = Date.now();
  const services: WiredServices = {
    ...{ options, startedAtMs, keys, trail, ownRecords, policy, set },
    ...{ mounts, sessions, exchange, tables, stop },
  };
  tieTogether(base, services, log);
  return succeed(services);
}

/** The set in force: there is one, since `openBase` fails without. */
function currentSetOf({ policy }: AgentBase): () => PolicySet {
  return () => {
    if (policy.current === null) throw new Error('the agent serves without a policy set');
    return policy.current;
  };
}

function tablesFor({ keys, policy }: AgentBase, log: Logger): TableService {
  const tables = new TableService({
    deviceId: keys.device,
    currentSet: () => policy.current,
    areas: () => [...new Set(keys.list().map(({ id }) => id.area))],
  });
  tables.on('warning', (warning) => {
    log.warn('policy', { warning });
  });
  return tables;
}

function sealingFor(
  { keys, trail }: AgentBase,
  set: () => PolicySet,
): ReturnType<typeof localSealing> {
  return localSealing({
    keys,
    excludedNames: () => set().folders.excludedNames,
    onSealed: (directory, path, fileId) => {
      const object = { path: join(directory, path), fileId };
      void trail.append({ kind: 'folder-sealing', object, outcome: 'done' });
    },
  });
}

function exchangeFor(
  { keys, trail }: AgentBase,
  { stateDirectory }: AgentOptions,
  parts: {
    readonly decisions: DecisionService;
    readonly set: () => PolicySet;
    readonly mounts: MountService;
  },
): ExchangeService {
  return new ExchangeService({
    decisions: parts.decisions,
    record: trail.append.bind(trail),
    keyLookup: keyLookupOf(keys),
    deviceId: keys.deviceId,
    spoolDirectory: join(stateDirectory, 'spool'),
    currentEpoch: async (area, label) => {
      const current = await keys.current(area, label);
      return current.ok ? succeed(current.value.id.epoch) : current;
    },
    assignmentFor: (caller, query) =>
      assignmentOf(parts.set(), caller, { ...query, directory: caller.home }),
    profileOf: ({ uid, gid }) => parts.mounts.profileOf(uid, gid),
  });
}

/** Events of one service that another must hear of. */
function tieTogether(base: AgentBase, services: WiredServices, log: Logger): void {
  const { policy, keys, trail } = base;
  const { mounts, sessions, tables } = services;
  mounts.on('remounted', (directory) => {
    sessions.remount(directory);
  });
  tables.on('table', (table) => void mounts.broadcast({ type: 'table', table }));
  base.onKeyEvent(({ kind }) => {
    if (kind === 'key-withdrawal') return;
    void mounts.broadcast({ type: 'keys-add', keys: keysOnDevice(keys) });
    void tables.recompile();
  });
  policy.on('changed', (now, before) => {
    void tables.recompile();
    const details = { set: now.name, version: now.version, before: before?.version ?? null };
    void trail.append({ kind: 'policy-change', outcome: 'done', details });
  });
  policy.on('rejected', ({ code, detail }) => {
    log.error('the policy set was refused; the one before stays in force', { code, detail });
    const details = { code, problem: detail.slice(0, 2000) };
    void trail.append({ kind: 'policy-change', outcome: 'refused', details });
  });
}
