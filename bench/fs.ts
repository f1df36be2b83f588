/**
 * The file system table: `npm run bench fs [--full | --short] [--rounds N]`.
 *
 * All systems in one run, A B C … A B C …, medians. Default: a 256 MiB file, 500 files of 20 KB,
 * 3 rounds. `--full`: 1 GiB, 2,000 files, 5 rounds. `--short`: for function alone, no figure.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { System } from './fs-mounting.js';
import { candidates } from './fs-systems.js';
import { COLUMNS, measure, type Column, type Figures, type Sizes } from './fs-workloads.js';
import { describeMachine, median, saveResult, versionOf } from './machine.js';

const HEADINGS: Record<Column, string> = {
  seqWrite: 'seq write 1 MiB, MB/s',
  seqRead: 'seq read, cold',
  randomRead: 'random 4 KiB read, cold',
  randomWrite: 'random 4 KiB write + fsync',
  create: 'create 20 KB, files/s',
  read: 'read 20 KB',
  stat: 'stat',
  unlink: 'unlink',
};

function sizesFrom(words: readonly string[]): Sizes & { readonly rounds: number } {
  const at = words.indexOf('--rounds');
  const rounds = at === -1 ? null : Number(words[at + 1]);
  if (words.includes('--full')) return { fileMiB: 1024, smallFiles: 2000, rounds: rounds ?? 5 };
  if (words.includes('--short')) return { fileMiB: 8, smallFiles: 30, rounds: rounds ?? 1 };
  return { fileMiB: 256, smallFiles: 500, rounds: rounds ?? 3 };
}

async function oneRound(system: System, sizes: Sizes, root: string): Promise<Figures> {
  const place = mkdtempSync(join(root, `${system.name}-`));
  const mounted = await system.mount(place);
  try {
    return await measure(mounted.directory, mounted.prefix, sizes);
  } finally {
    await mounted.stop();
    rmSync(place, { recursive: true, force: true });
  }
}

function mediansOf(rounds: readonly Figures[]): Figures {
  const pairs = COLUMNS.map((column) => [column, median(rounds.map((one) => one[column]))]);
  return Object.fromEntries(pairs) as Figures;
}

/** How often faster than the fastest of `peers`, column by column. */
function ratios(ours: Figures, peers: readonly Figures[]): Figures {
  const pairs = COLUMNS.map((column) => {
    const best = Math.max(...peers.map((peer) => peer[column]));
    return [column, ours[column] / best];
  });
  return Object.fromEntries(pairs) as Figures;
}

function row(name: string, figures: Figures, digits: number): string {
  const cells = COLUMNS.map((column) => figures[column].toFixed(digits));
  return `| ${[name, ...cells].join(' | ')} |`;
}

function table(results: ReadonlyMap<string, Figures>): string {
  const lines = [
    `| | ${COLUMNS.map((column) => HEADINGS[column]).join(' | ')} |`,
    `|${'---|'.repeat(COLUMNS.length + 1)}`,
    ...[...results].map(([name, figures]) => row(name, figures, 0)),
  ];
  const ours = results.get('sealfs');
  const named = (names: readonly string[]): Figures[] =>
    names.flatMap((name) => results.get(name) ?? []);
  const encrypting = named(['gocryptfs', 'securefs']);
  const limit = named(['passthrough_ll']);
  if (ours === undefined) return lines.join('\n');
  if (encrypting.length > 0) {
    lines.push(row('sealfs ÷ best of gocryptfs, securefs', ratios(ours, encrypting), 2));
  }
  if (limit.length > 0) lines.push(row('sealfs ÷ passthrough_ll', ratios(ours, limit), 2));
  return lines.join('\n');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

if (process.getuid?.() !== 0) throw new Error('bench fs mounts and drops caches: run it as root');
const sizes = sizesFrom(process.argv.slice(2));
const machine = describeMachine();
const all = candidates();
const systems = all.filter((one): one is System => 'mount' in one);
const left = all.flatMap((one) => ('missing' in one ? [`${one.name} ${one.missing}`] : []));
const work = join(process.cwd(), 'build', 'bench');
mkdirSync(work, { recursive: true });
const root = mkdtempSync(join(work, 'run-'));
const figures = new Map<string, Figures[]>(systems.map(({ name }) => [name, []]));
try {
  for (let at = 0; at < sizes.rounds; at++) {
    for (const system of systems) {
      figures.get(system.name)?.push(await oneRound(system, sizes, root));
    }
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
const medians = new Map([...figures].map(([name, rounds]) => [name, mediansOf(rounds)]));
const versions = Object.fromEntries(systems.map(({ name, version }) => [name, version]));
say(table(medians));
say('');
say(`${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel}`);
say(`load average before: ${machine.loadBefore.toFixed(2)}; ${versionOf('fio') ?? ''}`);
say(
  `${sizes.fileMiB} MiB file, ${sizes.smallFiles} files of 20 KB, ${sizes.rounds} rounds, medians`,
);
for (const { name, version } of systems) say(`${name}: ${version}`);
for (const reason of left) say(`left out: ${reason}`);
const result = {
  bench: 'fs',
  machine,
  sizes,
  versions,
  left,
  medians: Object.fromEntries(medians),
};
say(`written: ${saveResult('fs', { ...result, rounds: Object.fromEntries(figures) })}`);
