/**
 * LibreOffice in a sealed session on a protected folder, against the same on bare ext4.
 *
 * Both sides run the same script (libreoffice-load.py) as the same user: start, then open, save and
 * convert to PDF each of the letters and tables. A B A B … in one run, fresh documents each time;
 * medians for each document, milliseconds. Needs root and the packages of `scripts/setup test`.
 * Short form (the default): 10 documents, 2 rounds. `--full`: 50 documents, 5 rounds.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeDocx, makeXlsx } from '#src/cli/demo/office-open-xml.js';
import { describeMachine, median, runToEnd, saveResult } from './machine.js';

const FULL = process.argv.includes('--full');
const [DOCUMENTS, ROUNDS] = FULL ? [50, 5] : [10, 2];
const USER = process.env['SEALWAY_BENCH_USER'] ?? 'nobody';
const ROOT = new URL('../..', import.meta.url).pathname;
const LOAD = readFileSync(join(ROOT, 'bench/libreoffice-load.py'), 'utf8');
const STEPS = ['start', 'open', 'save', 'convert'] as const;

type Took = Record<(typeof STEPS)[number], number[]>;

/** Letters of two pages and tables of 300 rows, as an office has them. */
function writeDocuments(directory: string): string[] {
  mkdirSync(directory, { recursive: true });
  const line = (i: number): string =>
    `第${String(i)}条 The carrier delivers parcel ${String(i)} to its addressee.`;
  const row = (i: number): (string | number)[] => [
    `SW${String(100_000 + i)}`,
    `收件人${String(i)}`,
    i % 7,
    i * 1.5,
  ];
  return Array.from({ length: DOCUMENTS }, (_, index) => {
    const text = index % 2 === 0;
    const path = join(directory, `${String(index)}.${text ? 'docx' : 'xlsx'}`);
    const lines = Array.from({ length: 60 }, (_item, i) => line(i + index));
    const rows = Array.from({ length: 300 }, (_item, i) => row(i + index));
    writeFileSync(path, text ? makeDocx(lines) : makeXlsx('运单', rows));
    return path;
  });
}

function giveToUser(directory: string): void {
  execFileSync('chown', ['-R', `${USER}:`, directory]);
}

async function startAgent(state: string, folder: string): Promise<ChildProcess> {
  const agent = spawn(
    process.execPath,
    [
      join(ROOT, 'dist/agent/main.js'),
      ...['--state', state, '--policy', 'lab', '--protect', folder],
      ...['--label', 'internal', '--area', 'main'],
    ],
    { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] },
  );
  const ready = once(createInterface({ input: agent.stdio[3] as NodeJS.ReadableStream }), 'line');
  const ended = once(agent, 'exit').then(() => Promise.reject(new Error('the agent ended')));
  await Promise.race([ready, ended]);
  ended.catch(() => undefined);
  return agent;
}

function inSession(state: string, files: readonly string[]): Promise<string> {
  const cli = join(ROOT, 'dist/cli/main.js');
  const session = [process.execPath, cli, 'run', '--state', state, '--user', USER, '--'];
  return runToEnd([...session, 'python3', '-c', LOAD, ...files]);
}

function bare(profile: string, files: readonly string[]): Promise<string> {
  const as = ['setpriv', '--reuid', USER, '--regid', String(groupOfUser()), '--clear-groups'];
  const environment = ['env', '-i', 'PATH=/usr/bin:/bin', 'LANG=C.UTF-8', `HOME=${profile}`];
  return runToEnd([...as, ...environment, 'python3', '-c', LOAD, ...files]);
}

function groupOfUser(): number {
  return Number(execFileSync('id', ['-g', USER], { encoding: 'utf8' }));
}

function add(all: Took, said: string): void {
  const took = JSON.parse(said.trim().split('\n').at(-1) ?? '') as Took;
  for (const step of STEPS) all[step].push(...took[step]);
}

function medians(took: Took): Record<string, number> {
  return Object.fromEntries(STEPS.map((step) => [step, median(took[step])]));
}

async function measure(top: string, state: string): Promise<{ session: Took; ext4: Took }> {
  const session: Took = { start: [], open: [], save: [], convert: [] };
  const ext4: Took = { start: [], open: [], save: [], convert: [] };
  const profile = join(top, 'profile');
  mkdirSync(profile);
  for (let round = -1; round < ROUNDS; round += 1) {
    const inside = writeDocuments(join(top, 'protected', String(round)));
    const outside = writeDocuments(join(top, 'bare', String(round)));
    for (const place of ['protected', 'bare', 'profile']) giveToUser(join(top, place));
    // The first round makes the profiles and warms the caches; it does not count.
    const [a, b] = [await inSession(state, inside), await bare(profile, outside)];
    if (round < 0) continue;
    add(session, a);
    add(ext4, b);
  }
  return { session, ext4 };
}

async function main(): Promise<void> {
  const machine = describeMachine();
  const top = mkdtempSync('/var/tmp/sealway-bench-');
  const state = join(top, 'state');
  mkdirSync(join(top, 'protected'));
  for (const path of [top, join(top, 'protected')]) chmodSync(path, 0o755);
  giveToUser(join(top, 'protected'));
  const agent = await startAgent(state, join(top, 'protected'));
  try {
    const { session, ext4 } = await measure(top, state);
    const [ours, theirs] = [medians(session), medians(ext4)];
    const ratio = Object.fromEntries(STEPS.map((s) => [s, (ours[s] ?? 0) / (theirs[s] ?? 1)]));
    const result = {
      measure: 'libreoffice',
      machine,
      documents: DOCUMENTS,
      rounds: ROUNDS,
      sessionMs: ours,
      ext4Ms: theirs,
      ratio,
    };
    process.stdout.write(
      `${JSON.stringify(result, null, 2)}\n${saveResult('libreoffice', result)}\n`,
    );
  } finally {
    agent.kill('SIGINT');
    await once(agent, 'exit');
    rmSync(top, { recursive: true, force: true });
  }
}

await main();
