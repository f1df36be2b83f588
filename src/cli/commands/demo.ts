/**
 * `npm start`: a courier's folder with invented office files, protected, and what to try with it.
 *
 * Layer: cli. The folder is made once; a second start finds it sealed and goes on.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { DoctorAnswer, FoldersAnswer } from '../../contracts/local-api.js';
import type { Context } from '../context.js';
import { demoOfficeFiles } from '../demo/office-files.js';
import { formatTable } from '../output.js';
import { startAgent, type UpOptions } from './up.js';

const DEMO_POLICY = 'lab';

export async function demonstrate(context: Context, options: UpOptions): Promise<number> {
  const own = (options.protect ?? []).map((directory) => resolve(directory));
  const folders = own.length > 0 ? own : [await makeDemoFolder(context)];
  const policy = options.policy ?? DEMO_POLICY;
  context.out.line('Starting the agent …');
  const agent = startAgent({ ...options, protect: folders, policy }, context);
  await agent.ready;
  await describe(context, folders, policy);
  return agent.exited;
}

/** Makes the folder with its files; one that is there already is left as it is. */
async function makeDemoFolder({ out }: Context): Promise<string> {
  const directory = join(homedir(), 'sealway-demo');
  if (existsSync(directory)) return directory;
  await mkdir(directory, { mode: 0o755 });
  await chmod(directory, 0o755);
  for (const { name, bytes } of demoOfficeFiles()) {
    await writeFile(join(directory, name), bytes, { flag: 'wx', mode: 0o644 });
  }
  out.line(`Made ${directory} with four invented office files.`);
  return directory;
}

async function describe(
  { agent, out }: Context,
  folders: readonly string[],
  policy: string,
): Promise<void> {
  const guarded = await agent.ask('folders', {}, FoldersAnswer);
  const { findings } = await agent.ask('doctor', {}, DoctorAnswer);
  out.value({ ...guarded, findings });
  out.line();
  out.line('Protected now:');
  const shown = guarded.folders.filter(({ profile }) => !profile);
  for (const line of formatTable(shown.map((f) => [f.directory, f.state, f.label, f.area]))) {
    out.line(`  ${line}`);
  }
  out.line();
  out.line('What this machine can enforce:');
  for (const line of formatTable(findings.map((f) => [f.state, f.check, f.reason]))) {
    out.line(`  ${line}`);
  }
  if (policy === 'lab') {
    out.line();
    out.line(
      'Policy `lab`: any program may run in a sealed session. For a company: --policy express-delivery',
    );
  }
  out.line();
  out.line('Try, in another terminal:');
  for (const line of suggestions(folders[0] ?? '', out.json)) out.line(`  ${line}`);
  out.line();
  out.line('Ctrl-C unmounts and leaves everything sealed.');
}

function suggestions(folder: string, json: boolean): string[] {
  if (json) return [];
  const file = join(folder, 'customer-letter.docx');
  const name = existsSync(file) ? file : join(folder, 'FILE');
  return [
    `head -c 160 ${name}                      # any program: one readable line, then ciphertext`,
    `./sealway run -- head -c 2 ${name}       # in a sealed session: the document itself ("PK")`,
    `./sealway audit tail                     # both are in the record`,
  ];
}
