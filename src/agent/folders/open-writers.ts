/**
 * Which files other processes have open for writing.
 *
 * Layer: agent. Linux tells it in `/proc/PID/fd`: the mode bits of each link are those of the
 * descriptor. Without root only the processes of the same user can be seen; elsewhere than on
 * Linux nobody can. Shared writable mappings whose descriptor is closed are not seen.
 * Not here: a guarantee. A file may be opened right after the look; see `file-replacer.ts`.
 */
import type { BigIntStats } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';

/** Identifies a file for as long as it exists. */
export type InodeKey = string;

export function inodeKey({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>): InodeKey {
  return `${String(dev)}:${String(ino)}`;
}

const OWNER_WRITE = 0o200n;

/** The files that some other process can write through an open descriptor, as of now. */
export async function filesOpenForWriting(): Promise<ReadonlySet<InodeKey>> {
  const found = new Set<InodeKey>();
  if (process.platform !== 'linux') return found;
  const own = String(process.pid);
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid) || pid === own) continue;
    for (const key of await writtenBy(pid)) found.add(key);
  }
  return found;
}

async function writtenBy(pid: string): Promise<readonly InodeKey[]> {
  const folder = `/proc/${pid}/fd`;
  // A process may end, or belong to somebody else, at any point here: then it has nothing to say.
  const names = await readdir(folder).catch(() => []);
  const keys = await Promise.all(names.map((name) => writableInode(`${folder}/${name}`)));
  return keys.filter((key) => key !== null);
}

async function writableInode(link: string): Promise<InodeKey | null> {
  try {
    if (((await lstat(link, { bigint: true })).mode & OWNER_WRITE) === 0n) return null;
    const target = await stat(link, { bigint: true });
    return target.isFile() ? inodeKey(target) : null;
  } catch {
    return null;
  }
}

/** Looks at most once in `maxAgeMs`, and so gives answers up to that old. */
export class WriterWatch {
  private readonly maxAgeMs: number;
  private taken: Promise<ReadonlySet<InodeKey>> | null = null;
  private takenAt = 0;

  constructor(maxAgeMs = 250) {
    this.maxAgeMs = maxAgeMs;
  }

  async isWritten(file: Pick<BigIntStats, 'dev' | 'ino'>): Promise<boolean> {
    const now = performance.now();
    if (this.taken === null || now - this.takenAt > this.maxAgeMs) {
      this.takenAt = now;
      this.taken = filesOpenForWriting();
    }
    return (await this.taken).has(inodeKey(file));
  }

  /** Forgets the last look, so that the next answer is fresh. */
  refresh(): void {
    this.taken = null;
  }
}
