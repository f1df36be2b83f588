/**
 * Which directories may become protected folders.
 *
 * Layer: agent. Attack and accident: protecting a system directory would stop the machine, a folder
 * inside another one would be sealed twice, and the agent's own state must stay readable to it.
 */
import { realpath, stat } from 'node:fs/promises';
import { fail, succeed, type Result } from '../../core/errors/result.js';
import { failFromThrown } from '../../platform/errno.js';
import { readMountTable } from './mount-table.js';

const NEVER = [
  '/',
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/lib',
  '/lib64',
  '/proc',
  '/run',
  '/sbin',
  '/sys',
  '/usr',
  '/var',
  '/home',
  '/root',
  '/tmp',
];
const NEVER_BELOW = [
  '/proc',
  '/sys',
  '/dev',
  '/boot',
  '/usr',
  '/etc',
  '/bin',
  '/sbin',
  '/lib',
  '/lib64',
];

/** True when `path` is `parent` or lies below it. Both absolute and normalized. */
export function isWithin(path: string, parent: string): boolean {
  return path === parent || path.startsWith(parent === '/' ? '/' : `${parent}/`);
}

/** The reason why `directory` (a real path) may not be protected; `undefined` when it may. */
export function whyNotProtectable(
  directory: string,
  others: readonly string[],
  stateDirectory: string,
): string | undefined {
  if (NEVER.includes(directory)) return `${directory} belongs to the system`;
  const system = NEVER_BELOW.find((place) => isWithin(directory, place));
  if (system !== undefined) return `${directory} lies in ${system}, which belongs to the system`;
  if (isWithin(directory, stateDirectory) || isWithin(stateDirectory, directory)) {
    return `${directory} and the agent's own state in ${stateDirectory} lie in one another`;
  }
  const near = others.find((other) => isWithin(directory, other) || isWithin(other, directory));
  if (near !== undefined && near !== directory) {
    return `${directory} and the protected folder ${near} lie in one another`;
  }
  return undefined;
}

/**
 * Resolves and checks a directory that somebody wants protected.
 *
 * @returns its real path; `E_FOLDER_NOT_FOUND`, `E_PROTECT_REFUSED` with the reason.
 */
export async function checkProtectable(
  directory: string,
  others: readonly string[],
  stateDirectory: string,
): Promise<Result<string>> {
  let real: string;
  try {
    real = await realpath(directory);
    if (!(await stat(real)).isDirectory()) {
      return fail('E_PROTECT_REFUSED', `${directory} is no directory`);
    }
  } catch (thrown) {
    const failure = failFromThrown(thrown, directory);
    return failure.error.code === 'E_NOT_FOUND' ? fail('E_FOLDER_NOT_FOUND', directory) : failure;
  }
  const why = whyNotProtectable(real, others, stateDirectory);
  if (why !== undefined) return fail('E_PROTECT_REFUSED', why);
  const below = readMountTable().find(
    ({ mountPoint }) => mountPoint !== real && isWithin(mountPoint, real),
  );
  if (below === undefined) return succeed(real);
  return fail(
    'E_PROTECT_REFUSED',
    `${below.mountPoint} is mounted inside ${real}; protect it by itself`,
  );
}
