/**
 * The agent's arguments: written by `sealway up` and by the unit file, never by a user directly.
 *
 * Layer: agent. Every fault names the argument.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fail, succeed, type AppError, type Result } from '../core/errors/result.js';

export interface AgentOptions {
  readonly stateDirectory: string;
  readonly mode: 'service' | 'personal';
  readonly protect: readonly string[];
  readonly label: string | undefined;
  readonly area: string | undefined;
  readonly policyDirectory: string;
  /** The lab set loads only when somebody asked for it by its name. */
  readonly allowLab: boolean;
  readonly useSealfs: boolean;
  readonly logJson: boolean;
}

const DEFAULT_POLICY = 'baseline';
const SET_NAME = /^[a-z][a-z0-9-]*$/;

/** Reads `argv` (without node and script). */
export function readOptions(argv: readonly string[]): Result<AgentOptions, AppError<'E_USAGE'>> {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: {
        state: { type: 'string' },
        protect: { type: 'string', multiple: true },
        label: { type: 'string' },
        area: { type: 'string' },
        policy: { type: 'string' },
        'watched-folder': { type: 'boolean' },
        'log-json': { type: 'boolean' },
      },
    }));
  } catch (thrown) {
    return fail('E_USAGE', thrown instanceof Error ? thrown.message : 'malformed arguments');
  }
  const state = values.state;
  if (state === undefined || !isAbsolute(state))
    return fail('E_USAGE', '--state needs an absolute path');
  const policy = values.policy ?? DEFAULT_POLICY;
  return succeed({
    stateDirectory: state,
    mode: process.getuid?.() === 0 ? 'service' : 'personal',
    protect: values.protect ?? [],
    label: values.label,
    area: values.area,
    policyDirectory: policyDirectory(policy),
    allowLab: policy === 'lab' || policy.endsWith('/lab'),
    useSealfs: values['watched-folder'] !== true && canMount(),
    logJson: values['log-json'] === true,
  });
}

/** A device node that this account may not open is no use. */
function canMount(): boolean {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** A bare name is a shipped set; anything else is a directory. */
function policyDirectory(policy: string): string {
  if (!SET_NAME.test(policy)) return policy;
  return join(installationDirectory(), 'policies', policy);
}

function installationDirectory(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'policies')) && dirname(directory) !== directory) {
    directory = dirname(directory);
  }
  return directory;
}
