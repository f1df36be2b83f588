/**
 * The file systems that are compared: mounted fresh for each round, with their own defaults.
 *
 * Each has its backing directory on the same disk. gocryptfs and securefs get a key derivation of
 * next to nothing, since mounting is not what is measured.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runToEnd, versionOf } from './machine.js';
import { sealfsSystem } from './fs-sealfs.js';

export interface Mounted {
  readonly directory: string;
  /** Put before a command that shall see the directory as it is measured. */
  readonly prefix: readonly string[];
  readonly stop: () => Promise<void>;
}

export interface System {
  readonly name: string;
  readonly version: string;
  /** `place` is an empty directory of this system's own. */
  readonly mount: (place: string) => Promise<Mounted>;
}

/** A system, or the reason why it is left out. */
export type Candidate = System | { readonly name: string; readonly missing: string };

const PASSWORD = 'benchmark';
const MOUNT_DEADLINE_MS = 20_000;

export function candidates(): Candidate[] {
  return [bare(), passthrough(), gocryptfs(), securefs(), sealfsSystem()];
}

export function places(place: string): { backing: string; mount: string } {
  const found = { backing: join(place, 'backing'), mount: join(place, 'mount') };
  mkdirSync(found.backing, { recursive: true });
  mkdirSync(found.mount, { recursive: true });
  return found;
}

export async function untilMounted(directory: string): Promise<void> {
  for (const endsAt = Date.now() + MOUNT_DEADLINE_MS; Date.now() < endsAt;) {
    if (readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${directory} `)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${directory} was not mounted in time`);
}

/** Unmounts, lazily at last, and waits for the server's end. */
export async function unmount(directory: string, server?: ChildProcess): Promise<void> {
  const gone =
    server?.exitCode === null ? new Promise((resolve) => server.once('exit', resolve)) : null;
  for (let tries = 0; tries < 20; tries++) {
    if (spawnSync('umount', [directory]).status === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (tries === 19) spawnSync('umount', ['-l', directory]);
  }
  await gone;
}

function bare(): System {
  return {
    name: 'bare',
    version: 'the backing file system itself',
    mount: (place) => {
      const { backing } = places(place);
      return Promise.resolve({ directory: backing, prefix: [], stop: () => Promise.resolve() });
    },
  };
}

/** A server that stays in the foreground. */
async function served(command: readonly string[], mount: string): Promise<Mounted> {
  const [program = '', ...args] = command;
  const server = spawn(program, args, { stdio: 'ignore' });
  await untilMounted(mount);
  return { directory: mount, prefix: [], stop: () => unmount(mount, server) };
}

function passthrough(): Candidate {
  const program = process.env['SEALWAY_PASSTHROUGH_LL'];
  const name = 'passthrough_ll';
  if (program === undefined) return { name, missing: 'could not be built: needs libfuse3-dev' };
  return {
    name,
    version: `libfuse ${versionOf('pkg-config', ['--modversion', 'fuse3']) ?? ''}, writeback, cache=auto, clone_fd`,
    mount: (place) => {
      const { backing, mount } = places(place);
      const options = `source=${backing},writeback,cache=auto`;
      return served([program, '-f', '-o', 'clone_fd', '-o', options, mount], mount);
    },
  };
}

function gocryptfs(): Candidate {
  const name = 'gocryptfs';
  const version = versionOf(name, ['-version']);
  if (version === null) return { name, missing: 'is not installed' };
  return {
    name,
    version,
    mount: async (place) => {
      const { backing, mount } = places(place);
      const passfile = join(place, 'password');
      writeFileSync(passfile, `${PASSWORD}\n`);
      await runToEnd([name, '-init', '-q', '-scryptn', '10', '-passfile', passfile, backing]);
      return served([name, '-q', '-fg', '-passfile', passfile, backing, mount], mount);
    },
  };
}

function securefs(): Candidate {
  const name = 'securefs';
  const version = versionOf(name, ['version']);
  if (version === null) return { name, missing: 'is not installed' };
  return {
    name,
    version,
    mount: async (place) => {
      const { backing, mount } = places(place);
      await runToEnd([name, 'create', '--pass', PASSWORD, '-r', '1', backing]);
      return served([name, 'mount', '--pass', PASSWORD, backing, mount], mount);
    },
  };
}
