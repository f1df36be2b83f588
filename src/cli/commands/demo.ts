/**
 * `npm start`: a courier's folder with invented office files, protected, and what to try with it.
 *
 * Layer: cli. The folder is made once; a second start finds it sealed and goes on.
 * Root has no sealed sessions, so root's demonstration belongs to a person: who called sudo, else the
 * first person of this machine, else the account `nobody`.
 */
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DoctorAnswer, FoldersAnswer, type DoctorFinding } from '../../contracts/local-api.js';
import { parsePasswd, peopleOf, type LocalUser } from '../../platform/passwd.js';
import { CommandFailure } from '../agent-client.js';
import type { Context } from '../context.js';
import { demoOfficeFiles } from '../demo/office-files.js';
import { formatTable, type Output } from '../output.js';
import { startAgent, type UpOptions } from './up.js';

const DEMO_POLICY = 'lab';
const FOLDER_NAME = 'sealway-demo';

export async function demonstrate(context: Context, options: UpOptions): Promise<number> {
  const person = await demoPerson();
  const own = (options.protect ?? []).map((directory) => resolve(directory));
  const folders = own.length > 0 ? own : [await makeDemoFolder(context.out, person)];
  const policy = options.policy ?? DEMO_POLICY;
  context.out.line('Starting the agent …');
  const agent = startAgent({ ...options, protect: folders, policy }, context);
  await agent.ready;
  await describe(context, { folders, policy, person });
  return agent.exited;
}

/** Whose folder it is. */
async function demoPerson(): Promise<LocalUser> {
  const users = parsePasswd(await readFile('/etc/passwd', 'utf8'));
  const uid = process.getuid?.() ?? 0;
  const caller = uid === 0 ? Number(process.env['SUDO_UID'] ?? '0') : uid;
  const found =
    users.find((user) => caller !== 0 && user.uid === caller) ??
    peopleOf(users)[0] ??
    users.find(({ name }) => name === 'nobody');
  if (found === undefined) throw CommandFailure.of('E_SESSION_USER', 'this machine has no users');
  return found;
}

/** Makes the folder with its files; one that is there already is left as it is. */
async function makeDemoFolder(out: Output, person: LocalUser): Promise<string> {
  const home = existsSync(person.home) && person.home !== '/' ? person.home : '/srv';
  const directory = join(home, FOLDER_NAME);
  if (existsSync(directory)) return directory;
  await mkdir(directory, { mode: 0o755 });
  await own(directory, person);
  for (const { name, bytes } of demoOfficeFiles()) {
    const path = join(directory, name);
    await writeFile(path, bytes, { flag: 'wx', mode: 0o644 });
    await own(path, person);
  }
  out.line(`Made ${directory} with four invented office files.`);
  return directory;
}

async function own(path: string, person: LocalUser): Promise<void> {
  if (process.getuid?.() === 0) await chown(path, person.uid, person.gid);
}

interface Shown {
  readonly folders: readonly string[];
  readonly policy: string;
  readonly person: LocalUser;
}

async function describe({ agent, out }: Context, shown: Shown): Promise<void> {
  const guarded = await agent.ask('folders', {}, FoldersAnswer);
  const { findings } = await agent.ask('doctor', {}, DoctorAnswer);
  out.value({ ...guarded, findings });
  const rows = guarded.folders
    .filter(({ profile }) => !profile)
    .map(({ directory, state, label, area }) => [
      directory,
      state,
      `label ${label}`,
      `area ${area}`,
    ]);
  section(out, 'Protected now:', formatTable(rows));
  section(out, 'What this machine can enforce:', enforcement(findings));
  if (shown.policy === DEMO_POLICY) {
    section(out, 'Policy:', [
      'lab: any program may run in a sealed session, for trying out.',
      'For a company: npm start -- --policy express-delivery',
    ]);
  }
  section(out, 'Try, in another terminal:', suggestions(shown));
  section(out, 'Ctrl-C unmounts and leaves everything sealed.', []);
}

function section(out: Output, title: string, lines: readonly string[]): void {
  out.line();
  out.line(title);
  for (const line of lines) out.line(`  ${line}`);
}

function enforcement(findings: readonly DoctorFinding[]): string[] {
  return formatTable(findings.map(({ state, check, reason }) => [state, check, reason]));
}

function suggestions({ folders, person }: Shown): string[] {
  const letter = join(folders[0] ?? '', 'customer-letter.docx');
  const file = existsSync(letter) ? letter : join(folders[0] ?? '', 'FILE');
  const user = process.getuid?.() === 0 ? ` --user ${person.name}` : '';
  return formatTable([
    [`head -c 160 ${file}`, 'any program: a line that says what this is, then ciphertext'],
    [`./sealway run${user} -- head -c 2 ${file}`, 'in a sealed session: the document ("PK")'],
    ['./sealway audit tail', 'both are in the record'],
  ]);
}
