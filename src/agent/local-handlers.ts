/**
 * What each request of the local API does, in terms of the services.
 *
 * Layer: agent. Not here: roles and shapes (`api/routes.ts`), the services themselves.
 */
import {
  LOCAL_API_VERSION,
  type DoctorFinding,
  type FolderStatus,
  type LocalBody,
  type StatusAnswer,
} from '../contracts/local-api.js';
import { fail, succeed, type Result } from '../core/errors/result.js';
import { assignFolder } from '../core/policy/folders-file.js';
import type { PolicySet } from '../core/policy/policy-set.js';
import { shortVersion } from '../core/policy/policy-set.js';
import { userFacts } from '../core/policy/users-file.js';
import type { Caller } from './api/caller.js';
import type { LocalHandlers, PlainHandlers, ProgressHandlers } from './api/handlers.js';
import { probeMachine } from './doctor/facts.js';
import { judgeMachine } from './doctor/findings.js';
import type { ExchangeService } from './exchange/exchange-service.js';
import type { KeyAuthority } from './keys/key-authority.js';
import type { MountService } from './mounts/mount-service.js';
import type { AgentOptions } from './options.js';
import type { PolicyStore } from './policy/policy-store.js';
import type { TrailWriter } from './records/trail-writer.js';
import type { OwnRecords } from './records/own-records.js';
import { applicationFor } from './sessions/application-for.js';
import type { SessionService } from './sessions/session-service.js';

export interface AgentServices {
  readonly options: AgentOptions;
  readonly startedAtMs: number;
  readonly keys: KeyAuthority;
  readonly trail: TrailWriter;
  readonly ownRecords: OwnRecords;
  readonly policy: PolicyStore;
  /** The set in force; there is one as long as the agent serves. */
  readonly set: () => PolicySet;
  readonly mounts: MountService;
  readonly sessions: SessionService;
  readonly exchange: ExchangeService;
  readonly stop: () => void;
}

export function localHandlers(services: AgentServices): LocalHandlers {
  return {
    plain: plainHandlers(services),
    progress: progressHandlers(services),
    streams: services.exchange,
  };
}

function plainHandlers(services: AgentServices): PlainHandlers {
  return {
    status: (caller) => Promise.resolve(succeed(statusOf(services, caller))),
    folders: (caller) => Promise.resolve(succeed({ folders: foldersOf(services, caller) })),
    sessions: (caller) => Promise.resolve(succeed({ sessions: services.sessions.list(caller) })),
    doctor: () => Promise.resolve(succeed({ findings: doctorFindings(services) })),
    stop: () => {
      setImmediate(services.stop);
      return Promise.resolve(succeed({ stopping: true }));
    },
    open: (_caller, { file }) => Promise.resolve(applicationFor(services.set(), file)),
    'audit-tail': (caller, { count }) => services.ownRecords.tail(caller, count),
  };
}

function progressHandlers(services: AgentServices): ProgressHandlers {
  return {
    protect: (caller, body, report, signal) => {
      const assigned = assignmentOf(services.set(), caller, body);
      if (!assigned.ok) return Promise.resolve(assigned);
      return services.mounts.protect({
        ...assigned.value,
        directory: body.directory,
        report,
        signal,
      });
    },
    unprotect: (_caller, { directory, unseal }, report, signal) =>
      services.mounts.unprotect(directory, unseal, report, signal),
  };
}

/** Label and area of a folder: as asked for, else as the policy set assigns them. */
export function assignmentOf(
  set: PolicySet,
  caller: Pick<Caller, 'name'>,
  { directory, label, area }: LocalBody<'protect'>,
): Result<{ readonly label: string; readonly area: string }> {
  const assigned = assignFolder(set.folders, directory, userFacts(set.users, caller.name).area);
  const wanted = { label: label ?? assigned.label, area: area ?? assigned.area };
  if (set.label(wanted.label) === null) {
    const known = set.labels.map(({ name }) => name).join(', ');
    return fail('E_USAGE', `the policy set has no label "${wanted.label}"; it has ${known}`);
  }
  if (wanted.area === '') return fail('E_USAGE', 'no area: give one with --area');
  return succeed(wanted);
}

function foldersOf({ mounts }: AgentServices, caller: Caller): FolderStatus[] {
  return mounts.list().filter(({ profile }) => !profile || caller.role === 'admin');
}

function statusOf(services: AgentServices, caller: Caller): StatusAnswer {
  const { policy, trail, options } = services;
  const set = services.set();
  const { head } = trail.status();
  return {
    apiVersion: LOCAL_API_VERSION,
    pid: process.pid,
    mode: options.mode,
    uid: caller.uid,
    startedAtMs: services.startedAtMs,
    policy: {
      name: set.name,
      version: shortVersion(set),
      errors: policy.rejected === null ? [] : policy.rejected.detail.split('\n'),
    },
    folders: foldersOf(services, caller),
    sessions: services.sessions.list(caller).length,
    records: { lastSequence: head.seq, headHash: head.hash },
    sessionSocket: services.sessions.socketPath,
  };
}

function doctorFindings(services: AgentServices): DoctorFinding[] {
  const { keys, policy, mounts, trail, options } = services;
  const { protection, weaker } = keys.describe();
  const keyStore = {
    text: weaker === undefined ? protection : `${protection}; ${weaker}`,
    weak: weaker !== undefined,
  };
  const down = mounts.list().filter(({ state }) => state === 'failed' || state === 'restarting');
  const { stalled } = trail.status();
  return [
    ...judgeMachine(probeMachine(keyStore, !options.useSealfs)),
    policy.rejected === null
      ? { check: 'policy', state: 'ok', reason: 'the set in force is the newest', nextStep: null }
      : {
          check: 'policy',
          state: 'warning',
          reason: `the newest set was refused, the one before stays in force: ${policy.rejected.detail}`,
          nextStep: 'sealway policy check DIR',
        },
    ...down.map(({ directory, detail }) => ({
      check: 'folder',
      state: 'warning' as const,
      reason: `${directory} is not mounted: ${detail}`,
      nextStep: 'see the log in the state directory',
    })),
    stalled === undefined
      ? { check: 'records', state: 'ok', reason: 'every record so far is durable', nextStep: null }
      : {
          check: 'records',
          state: 'warning',
          reason: `records cannot be stored: ${stalled}`,
          nextStep: 'make room on the disk of the state directory',
        },
  ];
}
