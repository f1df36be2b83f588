/**
 * Which file a command names, and which application of the policy may start it.
 *
 * Layer: agent. Reads directories only.
 * Attack: a copied, renamed or linked program. The file that runs is decided here, by its real
 *   path, and that path is what sessiond starts; the plain view then hangs on the executable's
 *   identity in sealfs, not on this name.
 */
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { fail, succeed, type AppError, type Result } from '../../core/errors/result.js';
import type { Application } from '../../core/policy/applications-file.js';

/** Where commands are looked for: never in folders that the caller names. */
const PROGRAM_FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/games'];

/**
 * The absolute path of the program that `command` names.
 *
 * @param command - `argv[0]` of the request: a name, or a path relative to `cwd`.
 * @returns `E_SESSION_PROGRAM` when there is no executable file of that name.
 */
export async function findProgram(
  command: string,
  cwd: string,
): Promise<Result<string, AppError<'E_SESSION_PROGRAM'>>> {
  const candidates = command.includes('/')
    ? [isAbsolute(command) ? command : join(cwd, command)]
    : PROGRAM_FOLDERS.map((folder) => join(folder, command));
  for (const path of candidates) if (await isExecutableFile(path)) return succeed(path);
  return fail('E_SESSION_PROGRAM', `${command}: there is no such program`);
}

/**
 * The application that may start `program`, by the path given or the path it leads to.
 *
 * @param wanted - the application's id when the caller named one; otherwise the first that fits.
 * @returns `null` when none does: the program may not run in a session.
 */
export async function findApplication(
  applications: readonly Application[],
  program: string,
  wanted: string | null,
): Promise<Application | null> {
  const real = await realpath(program).catch(() => program);
  const fits = ({ id, start }: Application): boolean =>
    (wanted === null || id === wanted) &&
    (start === '*' || start.includes(program) || start.includes(real));
  return applications.find(fits) ?? null;
}

async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
