/**
 * The file systems that are compared: mounted fresh for each round, with their own defaults.
 *
 * Each has its backing directory on the same disk. gocryptfs and securefs get a key derivation of
 * next to nothing, since mounting is not what is measured.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { places, unmount, untilMounted, type Mounted, type System } from './fs-mounting.js';
import { sealfsSystem } from './fs-sealfs.js';
import { runToEnd, versionOf } from './machine.js';

/** A system, or the reason why it is left out. */
export type Candidate = System | { readonly name: string; readonly missing: string };

const PASSWORD = 'benchmark';

export function candidates(): Candidate[] {
  return [bare(), passthrough(), gocryptfs(), securefs(), sealfsSystem()];
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

/** Some builds do not know their own version; the distribution does. */
function packageVersion(name: string): string {
  return `${name} ${versionOf('dpkg-query', ['-W', '-f', '${Version}', name]) ?? ''}`;
}

function securefs(): Candidate {
  const name = 'securefs';
  const said = versionOf(name, ['version']);
  const version = said?.includes('NOTFOUND') === true ? packageVersion(name) : said;
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
