/**
 * Sessions that an earlier agent started and that still run.
 *
 * Layer: agent. A list in `run/sessions.json` is written with every change; after an unclean stop
 * the next agent finds the sessions there and registers them again, so that people can go on and
 * save. Attack: the kernel gives the number of a mount namespace that is gone to a new one; so a
 * session counts only while a descriptor on its namespace is held here, whose inode is the one
 * that was written down.
 */
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { SealfsSession } from '../../contracts/sealfs-control.js';
import { writeFileAtomic } from '../../platform/atomic-file.js';

const Stored = z.strictObject({
  version: z.literal(1),
  sessions: z.array(SealfsSession.extend({ pid: z.int().positive() })),
});
export type StoredSession = z.infer<typeof Stored>['sessions'][number];

const LOOK_EVERY_MS = 500;

export class AdoptedSessions {
  private readonly held = new Map<string, { session: StoredSession; namespace: FileHandle }>();
  private timer: NodeJS.Timeout | undefined;

  /** Takes over those of the list at `path` that still run; `onEnded` is called when one has gone. */
  async adopt(path: string, onEnded: (session: StoredSession) => void): Promise<void> {
    for (const session of await readList(path)) {
      const namespace = await holdNamespace(session);
      if (namespace !== undefined) this.held.set(session.id, { session, namespace });
    }
    if (this.held.size === 0) return;
    this.timer = setInterval(() => void this.look(onEnded), LOOK_EVERY_MS);
    this.timer.unref();
  }

  list(): StoredSession[] {
    return [...this.held.values()].map(({ session }) => session);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    for (const { namespace } of this.held.values()) await namespace.close();
    this.held.clear();
  }

  private async look(onEnded: (session: StoredSession) => void): Promise<void> {
    for (const [id, { session, namespace }] of this.held) {
      if ((await inodeOf(session.pid)) === session.mountNamespace) continue;
      this.held.delete(id);
      onEnded(session);
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
  await writeFileAtomic(path, JSON.stringify({ version: 1, sessions }), { mode: 0o600 });
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
