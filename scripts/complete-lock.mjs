/**
 * Completes package-lock.json with the optional packages of other platforms.
 *
 * Run it after every `npm install PACKAGE` (`npm run lock`). Some registries do not carry the
 * binaries for platforms that Sealway does not run on; npm then leaves them out of the lock file,
 * and `npm ci` refuses it ("Missing: … from lock file"). The parents pin these packages exactly,
 * so an entry needs nothing but its version and the platform that its name spells. An entry
 * without a digest is never installed on Linux.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const LOCK = new URL('../package-lock.json', import.meta.url);
const OS = [
  'darwin',
  'win32',
  'freebsd',
  'openbsd',
  'android',
  'aix',
  'sunos',
  'openharmony',
  'linux',
];
const CPU = [
  'arm64',
  'x64',
  'ia32',
  'arm',
  'ppc64',
  's390x',
  'riscv64',
  'wasm32',
  'loong64',
  'mips64el',
];

const lock = JSON.parse(readFileSync(LOCK, 'utf8'));
const root = lock.packages[''];

/** Where npm would look for `name` from the package at `from`: its own folder first, then up. */
function findEntry(from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(at.lastIndexOf('/node_modules/'), 0))) {
    const path = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (lock.packages[path] !== undefined) return path;
    if (at === '') return null;
  }
}

function platformOf(name) {
  const words = name.split(/[-/]/);
  const os = words.filter((word) => OS.includes(word));
  const cpu = words.filter((word) => CPU.includes(word));
  return { ...(cpu.length > 0 && { cpu }), ...(os.length > 0 && { os }) };
}

const added = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  if (entry === root) continue;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (findEntry(path, name) !== null) continue;
    if (!/^\d+\.\d+\.\d+$/.test(version))
      throw new Error(`${path}: ${name} is not pinned: ${version}`);
    const platform = platformOf(name);
    if (platform.os === undefined && platform.cpu === undefined) {
      throw new Error(`${path}: ${name} names no platform`);
    }
    lock.packages[`node_modules/${name}`] = {
      version,
      ...platform,
      ...(entry.dev === true && { dev: true }),
      optional: true,
    };
    added.push(name);
  }
}

const names = Object.keys(lock.packages).filter((path) => path !== '');
const sorted = names.sort((a, b) => a.localeCompare(b, 'en'));
lock.packages = Object.fromEntries([
  ['', root],
  ...sorted.map((path) => [path, lock.packages[path]]),
]);
writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(
  `package-lock.json: ${String(added.length)} packages of other platforms added\n`,
);
