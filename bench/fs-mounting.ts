/** Mounting and unmounting, as every compared system needs it. */
import { spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const MOUNT_DEADLINE_MS = 20_000;

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
