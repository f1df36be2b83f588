/**
 * What a test needs of the machine, and the one way to leave a test out.
 *
 * Layer: test support. `npm test` counts a skipped test whose name holds no `[skipped: reason]` as
 * a failure, and any skip in test/privileged and test/e2e on a machine that has all they need.
 */
import { accessSync, constants } from 'node:fs';
import { describe } from '@jest/globals';

/** Why something cannot run here; `null` when it can. */
export type MissingReason = string | null;

/** Root, without which there is no user-namespace map, no `allow_other` and no service mode. */
export function missingRoot(): MissingReason {
  return process.getuid?.() === 0 ? null : 'needs root';
}

/** A device that this process may mount file systems with. */
export function missingFuse(): MissingReason {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return null;
  } catch {
    return 'needs /dev/fuse';
  }
}

/** Runs `body` as a suite, or skips it with the first reason in its name. */
export function describeWhere(
  requirements: readonly MissingReason[],
  name: string,
  body: () => void,
): void {
  const reason = requirements.find((missing) => missing !== null) ?? null;
  if (reason === null) describe(name, body);
  // eslint-disable-next-line jest/no-disabled-tests -- the one place: the name carries the reason
  else describe.skip(`${name} [skipped: ${reason}]`, body);
}
