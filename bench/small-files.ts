/**
 * Small files, one after another, by one process: `node small-files.js DIR COUNT`.
 *
 * Prints `{"create":…,"read":…,"stat":…,"unlink":…}` in files a second. Each step opens, works and
 * closes as an application does; nothing is synced, as nobody syncs while copying a tree.
 */
import { closeSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const BYTES = 20 * 1024;

const [directory = '.', count = '500'] = process.argv.slice(2);
const paths = Array.from({ length: Number(count) }, (_, at) => join(directory, `f${at}.xlsx`));
const content = Buffer.alloc(BYTES, 'waybill 4711;');

function perSecond(act: (path: string) => void): number {
  const start = process.hrtime.bigint();
  for (const path of paths) act(path);
  return paths.length / (Number(process.hrtime.bigint() - start) / 1e9);
}

const create = perSecond((path) => {
  const fd = openSync(path, 'wx');
  writeSync(fd, content);
  closeSync(fd);
});
const read = perSecond((path) => {
  if (readFileSync(path).length !== BYTES) throw new Error(`${path} is short`);
});
const stat = perSecond((path) => {
  if (statSync(path).size !== BYTES) throw new Error(`${path} is short`);
});
const unlink = perSecond((path) => {
  unlinkSync(path);
});
process.stdout.write(`${JSON.stringify({ create, read, stat, unlink })}\n`);
