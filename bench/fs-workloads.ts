/**
 * The eight columns of the file system table: fio for one large file, `small-files` for many.
 *
 * Reads are cold: everything is written back and the page cache dropped before them (needs root).
 * Random I/O touches a quarter of the file. Writes end with an fsync, whose time counts.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runToEnd } from './machine.js';

export const COLUMNS = [
  'seqWrite',
  'seqRead',
  'randomRead',
  'randomWrite',
  'create',
  'read',
  'stat',
  'unlink',
] as const;
export type Column = (typeof COLUMNS)[number];
/** MB/s for the first four, files a second for the rest. */
export type Figures = Record<Column, number>;

export interface Sizes {
  readonly fileMiB: number;
  readonly smallFiles: number;
}

interface FioReport {
  readonly jobs: readonly {
    readonly read: { readonly bw_bytes: number };
    readonly write: { readonly bw_bytes: number };
  }[];
}

const SMALL_FILES = new URL('small-files.js', import.meta.url).pathname;

/** `prefix` is put before each command: how a program gets into the view that is measured. */
export async function measure(
  directory: string,
  prefix: readonly string[],
  { fileMiB, smallFiles }: Sizes,
): Promise<Figures> {
  const big = join(directory, 'big.bin');
  const fio = (rw: string, bs: string, share: number): Promise<number> =>
    runFio(prefix, [
      ...['--name=bench', `--filename=${big}`, `--rw=${rw}`, `--bs=${bs}`, '--ioengine=psync'],
      ...[`--size=${fileMiB}m`, `--io_size=${Math.max(1, Math.floor(fileMiB * share))}m`],
      ...['--end_fsync=1', '--randseed=4711', '--invalidate=0', '--overwrite=0'],
    ]);
  const seqWrite = await fio('write', '1m', 1);
  await dropCaches();
  const seqRead = await fio('read', '1m', 1);
  await dropCaches();
  const randomRead = await fio('randread', '4k', 1 / 4);
  const randomWrite = await fio('randwrite', '4k', 1 / 4);
  rmSync(big);
  const folder = join(directory, 'small');
  mkdirSync(folder);
  const small = [...prefix, process.execPath, SMALL_FILES, folder, String(smallFiles)];
  const files = JSON.parse(await runToEnd(small)) as Pick<
    Figures,
    'create' | 'read' | 'stat' | 'unlink'
  >;
  rmSync(folder, { recursive: true });
  return { seqWrite, seqRead, randomRead, randomWrite, ...files };
}

async function runFio(prefix: readonly string[], args: readonly string[]): Promise<number> {
  const said = await runToEnd([...prefix, 'fio', '--output-format=json', ...args]);
  const { jobs } = JSON.parse(said.slice(said.indexOf('{'))) as FioReport;
  const [job] = jobs;
  return Math.max(job?.read.bw_bytes ?? 0, job?.write.bw_bytes ?? 0) / 1e6;
}

async function dropCaches(): Promise<void> {
  await runToEnd(['sync']);
  writeFileSync('/proc/sys/vm/drop_caches', '3\n');
}
