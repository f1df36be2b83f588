/**
 * The sessions that run now, and which of them a new request may join.
 *
 * Layer: agent. In memory only: sessions outlive an agent, but a new agent cannot speak with the
 *   sessiond that holds them, so it starts from nothing.
 */
import type { SessionCreated, SessionGrant } from '../../contracts/sessiond.js';

export interface RunningSession {
  readonly id: string;
  readonly uid: number;
  readonly application: string;
  readonly argv: readonly string[];
  readonly folders: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly startedAtMs: number;
  /** Of the first process; `null` until the session has been made. */
  readonly pid: number | null;
  /** Decimal; `null` until the session has been made. */
  readonly mountNamespace: string | null;
  /** True from the moment at which its program may run. */
  readonly running: boolean;
}

export class SessionRegistry {
  readonly #sessions = new Map<string, RunningSession>();

  /** A grant was sent. Throws when the id is in use: the caller made it up a moment ago. */
  granted(uid: number, grant: SessionGrant, nowMs: number): void {
    if (this.#sessions.has(grant.id)) throw new Error(`session id ${grant.id} is in use`);
    this.#sessions.set(grant.id, {
      id: grant.id,
      uid,
      application: grant.application,
      argv: grant.argv,
      folders: grant.binds.flatMap((bind) =>
        bind.mode === 'rw' && bind.device !== undefined ? [bind.target] : [],
      ),
      environment: grant.environment,
      startedAtMs: nowMs,
      pid: null,
      mountNamespace: null,
      running: false,
    });
  }

  /** sessiond has made it. `null` when nobody knows it, as after an agent's restart. */
  created({ session, pid, mountNamespace }: SessionCreated): RunningSession | null {
    return this.#change(session, { pid, mountNamespace });
  }

  /** Its program may run. */
  released(id: string): void {
    this.#change(id, { running: true });
  }

  /** It has ended; returns what it was. */
  ended(id: string): RunningSession | null {
    const session = this.#sessions.get(id) ?? null;
    this.#sessions.delete(id);
    return session;
  }

  get(id: string): RunningSession | null {
    return this.#sessions.get(id) ?? null;
  }

  /** Oldest first; of one user when `uid` is given. */
  list(uid?: number): RunningSession[] {
    const all = [...this.#sessions.values()];
    return uid === undefined ? all : all.filter((session) => session.uid === uid);
  }

  /** The running session of this user and application, in which a further program may run. */
  reusable(uid: number, application: string): RunningSession | null {
    const fits = (session: RunningSession): boolean =>
      session.uid === uid && session.application === application && session.running;
    return this.list().find(fits) ?? null;
  }

  /** Those in which `directory` is bound, which a restarted sealfs concerns. */
  withFolder(directory: string): RunningSession[] {
    return this.list().filter((session) => session.folders.includes(directory));
  }

  #change(id: string, change: Partial<RunningSession>): RunningSession | null {
    const before = this.#sessions.get(id);
    if (before === undefined) return null;
    const after = { ...before, ...change };
    this.#sessions.set(id, after);
    return after;
  }
}
