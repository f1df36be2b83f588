/**
 * The verdict table of this machine: its users, executables and clock put to the policy set.
 *
 * Layer: agent. Not here: the compiler (`src/core/policy/compile-table.ts`), handing it to sealfs.
 */
import { compileTable, type CompiledTable } from '../../core/policy/compile-table.js';
import type { TimeOfWeek } from '../../core/policy/next-change.js';
import type { PolicySet } from '../../core/policy/policy-set.js';
import {
  tableMentions,
  type TableUser,
  type WindowCounts,
} from '../../core/policy/table-classes.js';
import { userFacts } from '../../core/policy/users-file.js';
import type { DeviceFacts } from '../../core/policy/vocabulary.js';
import { runProcess } from '../../platform/child-process.js';
import { resolveExecutables, type ExecutableWarning } from './resolve-executables.js';

/** The uid of a user of the operating system, `null` when there is none, or that nobody knows. */
export type ResolveUid = (name: string) => Promise<number | null | 'unknown'>;

export interface DeviceTableInput {
  readonly set: PolicySet;
  readonly device: DeviceFacts;
  readonly offline: boolean;
  /** Areas that this machine holds keys for; those of users and folder rules are added. */
  readonly areas: readonly string[];
  readonly nowMs: number;
  readonly resolveUid?: ResolveUid;
  readonly windowOf?: (uid: number) => WindowCounts;
}

export interface DeviceTable extends CompiledTable {
  readonly warnings: readonly ExecutableWarning[];
  /** Listed users whose uid the name service could not tell; unlisted users are shut out then. */
  readonly unknownUsers: readonly string[];
  readonly compileMs: number;
}

/** One file, nothing read yet: what an open at this moment would be. */
const FRESH_WINDOW: WindowCounts = { count: 1, bytes: 0 };

const GETENT = '/usr/bin/getent';
const GETENT_NOT_FOUND = 2;

/** Asks the name service, so that users of a directory (LDAP, SSSD) are found too. */
export async function uidByName(name: string): Promise<number | null | 'unknown'> {
  const answer = await runProcess(GETENT, ['passwd', '--', name], { timeoutMs: 5000 });
  if (answer.ok && answer.value.code === GETENT_NOT_FOUND) return null;
  if (!answer.ok || answer.value.code !== 0) return 'unknown';
  const [found, , uid] = answer.value.stdout.toString('utf8').split(':');
  // getent takes a number as a uid; a name of digits must not become somebody else.
  return found === name && uid !== undefined && /^\d+$/u.test(uid) ? Number(uid) : null;
}

/** Local hour and weekday of this machine. */
export function localTime(ms: number): TimeOfWeek {
  const date = new Date(ms);
  const day = date.getDay();
  return { hour: date.getHours(), weekday: day === 0 ? 7 : day };
}

/** Names that need a row of their own: listed in the set, or named by a rule. */
function namesWithRows(set: PolicySet): readonly string[] {
  const prefix = 'User::';
  const named = [...tableMentions(set).entities]
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length));
  return [...new Set([...Object.keys(set.users.users), ...named])].sort();
}

interface KnownUsers {
  readonly users: readonly TableUser[];
  readonly unknownUsers: readonly string[];
}

/**
 * Attack: the name service is away, so a person of the list looks like anybody else and would get
 * the default's rights. Then nobody gets those: only the rows of uids that are known are compiled.
 */
async function tableUsers(input: DeviceTableInput): Promise<KnownUsers> {
  const { set, resolveUid = uidByName, windowOf } = input;
  const users: TableUser[] = [];
  const unknownUsers: string[] = [];
  for (const name of namesWithRows(set)) {
    const uid = await resolveUid(name);
    if (uid === 'unknown') unknownUsers.push(name);
    if (typeof uid !== 'number') continue;
    users.push({ uid, facts: userFacts(set.users, name), window: windowOf?.(uid) ?? FRESH_WINDOW });
  }
  if (unknownUsers.length > 0) return { users, unknownUsers };
  // No user can be called `*`, so nobody is mistaken for the one who stands for all the others.
  const others: TableUser = { uid: '*', facts: userFacts(set.users, '*'), window: FRESH_WINDOW };
  return { users: [...users, others], unknownUsers };
}

function tableAreas(input: DeviceTableInput, users: readonly TableUser[]): readonly string[] {
  const { rules, default: fallback } = input.set.folders;
  const assigned = [fallback, ...rules].map(({ area }) => area).filter((area) => area !== '@user');
  const own = users.map(({ facts }) => facts.area);
  return [...new Set([...input.areas, ...assigned, ...own])].filter((area) => area !== '');
}

/** Resolves users and executables and compiles. Slow parts: one stat per executable, Cedar. */
export async function compileDeviceTable(input: DeviceTableInput): Promise<DeviceTable> {
  const started = performance.now();
  const { users, unknownUsers } = await tableUsers(input);
  const { executables, warnings } = await resolveExecutables(input.set);
  const { set, device, offline, nowMs } = input;
  const areas = tableAreas(input, users);
  const compiled = compileTable({
    set,
    users,
    areas,
    executables,
    device,
    offline,
    nowMs,
    localTime,
  });
  return { ...compiled, warnings, unknownUsers, compileMs: performance.now() - started };
}
