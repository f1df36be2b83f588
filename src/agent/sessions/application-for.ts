/**
 * Which application opens a file, by the policy's list and the file's type.
 *
 * Layer: agent, pure. Not here: whether this person may (that is asked when the session starts).
 */
import { extname } from 'node:path';
import { fail, succeed, type Result } from '../../core/errors/result.js';
import type { PolicySet } from '../../core/policy/policy-set.js';

export interface OpenPlan {
  readonly application: string;
  /** The application's command with the file in place of `%f`. */
  readonly argv: readonly string[];
  readonly file: string;
}

/** @returns `E_NO_APPLICATION` naming the file's type. */
export function applicationFor(set: PolicySet, file: string): Result<OpenPlan> {
  const extension = extname(file).slice(1).toLowerCase();
  const application = set.applications.applications.find(
    ({ fileTypes, openCommand }) =>
      openCommand !== null && fileTypes.some((type) => type.extension === extension),
  );
  const command = application?.openCommand ?? null;
  if (application === undefined || command === null) {
    const type = extension === '' ? 'files without an extension' : `.${extension} files`;
    return fail('E_NO_APPLICATION', `${type}; the security admin keeps the list`);
  }
  const argv = command.map((word) => (word === '%f' ? file : word));
  return succeed({ application: application.id, argv, file });
}
