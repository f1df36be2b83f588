/**
 * Sessions that an earlier agent started and that still run.
 *
 * Layer: agent. A list in `run/sessions.json` is written with every change; after an unclean stop
 * the next agent finds the sessions there and registers them again, so that people can go on and
 * save. Attack: the kernel gives the number of a mount namespace that is gone to a new one; so a
 * session counts only while a descriptor on its namespace is held here, whose inode is the one
 * that was written down. sealfs holds one too, for the time in which no agent runs.
 */
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { SealfsSession } from '../../contracts/sealfs-control.js';
import { writeFileAtomic } from '../../platform/atomic-file.js';

const Stored = z.strictObject({
  version: z.literal(2),
  sessions: z.array(
    SealfsSession.extend({
      pid: z.int().positive(),
      argv: z.array(z.string()),
      folders: z.array(z.string()),
      startedAtMs: z.number(),
    }),
  ),
});
export type StoredSession = z.infer<typeof Stored>['sessions'][number];

/** Called when an adopted session has ended; its namespace is kept until this has resolved. */
type OnEnded = (session: StoredSession) => Promise<void>;

const LOOK_EVERY_MS = 500;
/** Between the polite and the certain end, as sessiond does it. */
const TERMINATE_LIMIT_MS = 5_000;
const LOOK_WHILE_ENDING_MS = 50;

export class AdoptedSessions {
  private readonly held = new Map<string, { session: StoredSession; namespace: FileHandle }>();
  private readonly onEnded: OnEnded;
  private timer: NodeJS.Timeout | undefined;

  constructor(onEnded: OnEnded) {
    this.onEnded = onEnded;
  }

  /** Takes over those of the list at `path` that still run; tells of those that have ended. */
  async adopt(path: string): Promise<void> {
    const ended: StoredSession[] = [];
    for (const session of await readList(path)) {
      const namespace = await holdNamespace(session);
      if (namespace === undefined) ended.push(session);
      else this.held.set(session.id, { session, namespace });
    }
    for (const session of ended) await this.onEnded(session);
    if (this.held.size === 0) return;
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
    this.timer.unref();
  }

  list(): StoredSession[] {
    return [...this.held.values()].map(({ session }) => session);
  }

  /** Ends them all: asks, and kills after five seconds. Resolves when they have gone. */
  async end(): Promise<void> {
    clearInterval(this.timer);
    this.signal('SIGTERM');
    const deadline = Date.now() + TERMINATE_LIMIT_MS;
    await this.look();
    while (this.held.size > 0) {
      if (Date.now() > deadline) this.signal('SIGKILL');
      await pause(LOOK_WHILE_ENDING_MS);
      await this.look();
    }
  }

  private signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    for (const { session } of this.held.values()) {
      // The first process of the pid namespace takes all others with it, but only when killed.
      const target = signal === 'SIGKILL' ? session.pid : -session.pid;
      try {
        process.kill(target, signal);
      } catch {
        // It has gone: the next look finds that out.
      }
    }
  }

  private async look(): Promise<void> {
    for (const [id, { session, namespace }] of this.held) {
      if ((await inodeOf(session.pid)) === session.mountNamespace) continue;
      if (!this.held.delete(id)) continue;
      await this.onEnded(session);
      // Last: until now the number could not be given to anybody else.
      await namespace.close();
    }
  }
}

/** Writes the list that the next agent would adopt. */
export async function storeSessions(
  path: string,
  sessions: readonly StoredSession[],
): Promise<void> {
  await writeFileAtomic(path, JSON.stringify({ version: 2, sessions }), { mode: 0o600 });
}

async function readList(path: string): Promise<StoredSession[]> {
  try {
    return Stored.parse(JSON.parse(await readFile(path, 'utf8'))).sessions;
  } catch {
    return [];
  }
}

async function holdNamespace(session: StoredSession): Promise<FileHandle | undefined> {
  try {
    const namespace = await open(`/proc/${String(session.pid)}/ns/mnt`, 'r');
    if (String((await namespace.stat()).ino) === session.mountNamespace) return namespace;
    await namespace.close();
  } catch {
    // The process has gone.
  }
  return undefined;
}

async function inodeOf(pid: number): Promise<string | undefined> {
  try {
    const namespace = await open(`/proc/${String(pid)}/ns/mnt`, 'r');
    const { ino } = await namespace.stat();
    await namespace.close();
    return String(ino);
  } catch {
    return undefined;
  }
}
