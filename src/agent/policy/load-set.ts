/**
 * A policy set from a directory.
 *
 * Layer: agent. Reads and checks; keeps nothing. Who may write a set decides who sees plaintext,
 * so files that others than root can change are pointed out when the agent runs as root.
 */
import { stat } from 'node:fs/promises';
import { fail, succeed, type AppError, type Result } from '../../core/errors/result.js';
import { warningAt, wholeFile, type PolicyProblem } from '../../core/policy/problem.js';
import {
  LARGEST_SET_BYTES,
  readPolicySet,
  type CheckedSet,
} from '../../core/policy/read-policy-set.js';
import { POLICY_TOOLS } from '../../platform/policy-tools.js';
import { readDirectory } from '../../platform/read-directory.js';

export interface LoadOptions {
  /** Set when a person asked for a lab set by name. */
  readonly allowLab: boolean;
}

/** Notes for readers may lie beside the files of a set. */
function isSetFile(name: string): boolean {
  return !name.endsWith('.md') && !name.endsWith('.txt');
}

function translate(error: AppError): { readonly ok: false; readonly error: AppError } {
  if (error.code === 'E_NOT_FOUND' || error.code === 'E_WRONG_TYPE') {
    return fail('E_POLICY_NOT_FOUND', error.detail, error);
  }
  if (error.code === 'E_FILE_TOO_LARGE') {
    return fail(
      'E_POLICY_TOO_LARGE',
      `${error.detail}; a set has at most ${String(LARGEST_SET_BYTES)}`,
      error,
    );
  }
  return fail('E_POLICY_UNREADABLE', error.detail, error);
}

interface Owned {
  readonly uid: number;
  readonly mode: number;
}

const WRITABLE_BY_OTHERS = 0o022;

function looseFiles(files: Readonly<Record<string, Owned>>): readonly PolicyProblem[] {
  if (process.geteuid?.() !== 0) return [];
  return Object.entries(files)
    .filter(([, { uid, mode }]) => uid !== 0 || (mode & WRITABLE_BY_OTHERS) !== 0)
    .map(([name]) =>
      warningAt(wholeFile(name), 'others than root can change this file', 'owner root, mode 644'),
    );
}

/** Reads and checks the set in `directory`. The codes of `readPolicySet`, and `E_POLICY_NOT_FOUND`, `E_POLICY_UNREADABLE`. */
export async function loadSet(
  directory: string,
  options: LoadOptions,
): Promise<Result<CheckedSet>> {
  const read = await readDirectory(directory, {
    wanted: isSetFile,
    maxTotalBytes: LARGEST_SET_BYTES,
  });
  if (!read.ok) return translate(read.error);
  const texts = Object.fromEntries(
    Object.entries(read.value).map(([name, { text }]) => [name, text]),
  );
  const checked = readPolicySet(POLICY_TOOLS, texts, options);
  if (!checked.ok) return checked;
  const owned = Object.fromEntries(
    Object.entries(read.value).map(([name, { stats }]) => [name, stats]),
  );
  const own = await stat(directory).catch(() => null);
  const loose = looseFiles(own === null ? owned : { ...owned, '.': own });
  return succeed({ set: checked.value.set, warnings: [...checked.value.warnings, ...loose] });
}
