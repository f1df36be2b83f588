/**
 * Sealed sessions: asks policy, has sessiond make them, tells sealfs who they are.
 *
 * Layer: agent. Spec: docs/spec/sessiond-v1.md.
 * Order: decision → profile folder mounted → grant → session made, its program held → registered
 *   with every sealfs → go. At the end: forgotten by every sealfs → namespace released.
 * Attack: an application's standard output would carry plaintext out (`soffice --cat`), so the
 *   caller's streams are passed on only under a lab set.
 */
import { randomUUID } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { FolderStatus, SessionStatus } from '../../contracts/local-api.js';
import type { SealfsCall, SealfsSession } from '../../contracts/sealfs-control.js';
import type {
  SessionCreated,
  SessionEnded,
  SessionGrant,
  SessionRequest,
} from '../../contracts/sessiond.js';
import { ERROR_CODES } from '../../core/errors/catalogue.js';
import { fail, succeed, type Result } from '../../core/errors/result.js';
import type { Application } from '../../core/policy/applications-file.js';
import type { PolicySet } from '../../core/policy/policy-set.js';
import { SessiondProcess } from '../../native-bridge/sessiond-process.js';
import type { Logger } from '../../platform/logger.js';
import type { Caller } from '../api/caller.js';
import { decisionForRecord, type DecisionService } from '../decisions/decision-service.js';
import type { RecordSink } from '../mounts/event-intake.js';
import { AdoptedSessions, storeSessions, type StoredSession } from './adopted-sessions.js';
import { findApplication, findProgram } from './find-program.js';
import { canPass, viewHost } from './host-view.js';
import { sessionGrant, type ServedFolder, type SessionUser } from './session-profile.js';
import { SessionRegistry, type RunningSession } from './session-registry.js';
import { userOf } from './user-lookup.js';

export interface SessionServiceParts {
  readonly stateDirectory: string;
  readonly personal: boolean;
  readonly decisions: DecisionService;
  readonly record: RecordSink;
  readonly set: () => PolicySet;
  readonly log: Logger;
  readonly folders: () => readonly FolderStatus[];
  readonly profileOf: (user: SessionUser) => Promise<Result<string>>;
  /** Reaches every sealfs. */
  readonly broadcast: (call: SealfsCall) => Promise<Result<void>>;
}

/** Only for a sessiond that cannot start; one that has served is started again at once. */
const RETRY_AFTER_MS = 500;

export class SessionService {
  private readonly parts: SessionServiceParts;
  private readonly registry = new SessionRegistry();
  private readonly adopted = new AdoptedSessions((session) => this.finishAdopted(session));
  /** Folders that were mounted again while there was no sessiond to tell sessions. */
  private readonly remountsDue = new Set<string>();
  private readonly listPath: string;
  private sessiond: SessiondProcess | undefined;
  private stopping = false;
  private writing: Promise<void> = Promise.resolve();

  constructor(parts: SessionServiceParts) {
    this.parts = parts;
    this.listPath = join(parts.stateDirectory, 'run', 'sessions.json');
  }

  /** Where session-clients connect; `null` while no sessions can be had. */
  get socketPath(): string | null {
    return this.sessiond === undefined ? null : this.listenPath();
  }

  /** Adopts what an earlier agent left running, and starts sessiond. */
  async start(): Promise<Result<void>> {
    await this.adopted.adopt(this.listPath);
    return this.startSessiond();
  }

  /** Ends all sessions, those of an earlier agent too, and sessiond. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all([this.sessiond?.stop(), this.adopted.end()]);
    await this.writing;
  }

  /** What every sealfs must know. */
  active(): SealfsSession[] {
    return this.stored().map(({ id, uid, application, mountNamespace, pid }) => ({
      id,
      uid,
      application,
      mountNamespace,
      pid,
    }));
  }

  /** The sessions that `caller` may see: the own ones, or all. */
  list(caller: Pick<Caller, 'uid' | 'role'>): SessionStatus[] {
    const all = [...this.registry.list(), ...this.adopted.list()];
    const seen = all.filter(({ uid }) => caller.role === 'admin' || uid === caller.uid);
    return seen.map(({ id, uid, application, argv, pid, startedAtMs }) => ({
      ...{ id, uid, application, pid, startedAtMs },
      user: String(uid),
      argv: [...argv],
    }));
  }

  /** A sealfs has been started again: sessions get the new mount in place of the dead one. */
  remount(directory: string): void {
    const { sessiond } = this;
    if (sessiond === undefined) {
      this.remountsDue.add(directory);
      return;
    }
    for (const { id } of this.registry.withFolder(directory)) sessiond.remount(id, directory);
    for (const session of this.adopted.list()) {
      if (session.folders.includes(directory)) sessiond.remountAdopted(session, directory);
    }
  }

  private listenPath(): string {
    return join(this.parts.stateDirectory, 'run', 'session.sock');
  }

  private async startSessiond(): Promise<Result<void>> {
    const { log, personal } = this.parts;
    const started = await SessiondProcess.start({
      listenPath: this.listenPath(),
      personal,
      onLogLine: (line) => {
        log.info('sessiond', { line });
      },
    });
    if (!started.ok) return started;
    const sessiond = started.value;
    this.sessiond = sessiond;
    sessiond.on('request', (request) => void this.answer(sessiond, request));
    sessiond.on('created', (created) => void this.register(sessiond, created));
    sessiond.on('ended', (ended) => void this.finish(sessiond, ended));
    sessiond.on('remounted', ({ session, path, ok, detail }) => {
      if (!ok) log.warn('a session kept a dead mount', { session, path, detail });
    });
    sessiond.on('exit', (reason) => {
      this.onSessiondGone(reason);
    });
    const due = [...this.remountsDue];
    this.remountsDue.clear();
    for (const directory of due) this.remount(directory);
    return succeed(undefined);
  }

  private async restartSessiond(): Promise<void> {
    for (;;) {
      const started = await this.startSessiond();
      if (started.ok) return;
      this.parts.log.error('sessiond does not start', { reason: started.error.detail });
      await pause(RETRY_AFTER_MS);
      if (this.stopping) return;
    }
  }

  private onSessiondGone(reason: string): void {
    this.sessiond = undefined;
    for (const { id } of this.registry.list()) void this.forget(id);
    if (this.stopping) return;
    this.parts.log.error('sessiond ended', { reason });
    void this.parts.record({
      kind: 'gap',
      details: { cause: 'unclean-stop', of: 'sessiond', reason },
    });
    void this.restartSessiond();
  }

  private async answer(sessiond: SessiondProcess, request: SessionRequest): Promise<void> {
    const granted = await this.decide(request).catch((thrown: unknown) =>
      fail('E_SESSION_REFUSED', thrown instanceof Error ? thrown.message : 'internal fault'),
    );
    if (granted.ok) {
      granted.value(sessiond);
      return;
    }
    const { code, detail } = granted.error;
    const message = `${ERROR_CODES[code].message} (${detail})`;
    sessiond.refuse(request.id, { code, message, ruleIds: [] });
  }

  /** Finds program and application, asks policy, and returns what to tell sessiond. */
  private async decide(
    request: SessionRequest,
  ): Promise<Result<(sessiond: SessiondProcess) => void>> {
    const set = this.parts.set();
    const user = await userOf(request.uid, request.gid);
    const program = await findProgram(request.argv[0] ?? '', request.cwd);
    if (!program.ok) return program;
    const application = await findApplication(
      set.applications.applications,
      program.value,
      request.application,
    );
    const allowed = await this.askPolicy(request, user, application, program.value);
    if (!allowed.ok) return allowed;
    const argv = [program.value, ...request.argv.slice(1)];
    const joinable = this.joinable(user, allowed.value);
    if (joinable !== null) {
      return succeed((sessiond) => {
        const { id: session, environment } = joinable;
        const stdio = stdioFor(set);
        sessiond.join(request.id, { session, argv, cwd: request.cwd, environment, stdio });
      });
    }
    const grant = await this.grantFor(request, user, allowed.value, argv);
    if (!grant.ok) return grant;
    return succeed((sessiond) => {
      this.registry.granted(user.uid, grant.value, Date.now());
      sessiond.grant(request.id, grant.value);
    });
  }

  /** Applications that open documents share one session a user: they find their own instance there. */
  private joinable(user: SessionUser, application: Application): RunningSession | null {
    if (application.openCommand === null) return null;
    return this.registry.reusable(user.uid, application.id);
  }

  private async askPolicy(
    request: SessionRequest,
    user: SessionUser,
    application: Application | null,
    program: string,
  ): Promise<Result<Application>> {
    const decision =
      application === null
        ? null
        : this.parts.decisions.decide({
            uid: user.uid,
            userName: user.name,
            operation: 'run',
            application: application.id,
            file: null,
            destination: null,
            sizeBytes: 0,
            justified: false,
          });
    const allowed = application !== null && decision?.verdict === 'allow';
    await this.parts.record({
      kind: 'session-start',
      user: { uid: user.uid, name: user.name },
      application: { path: program, ...(application === null ? {} : { id: application.id }) },
      ...(decision === null ? {} : { decision: decisionForRecord(decision) }),
      outcome: allowed ? 'done' : 'refused',
      details: { files: request.files.slice(0, 20) },
    });
    if (allowed) return succeed(application);
    const rules = decision?.ruleIds.join(', ') ?? '';
    const why =
      application === null
        ? `${program} is not in the application list of policy ${this.parts.set().name}`
        : `${application.id}: ${rules === '' ? 'no rule allows it' : `rule ${rules}`}`;
    return fail('E_SESSION_REFUSED', `${why}; ask the security admin`);
  }

  private async grantFor(
    request: SessionRequest,
    user: SessionUser,
    application: Application,
    argv: readonly string[],
  ): Promise<Result<SessionGrant>> {
    const profile = await this.parts.profileOf(user);
    if (!profile.ok) return profile;
    const places = [...application.readOnly, ...application.readWrite].map((place) =>
      place.startsWith('~/') ? join(user.home, place.slice(2)) : place,
    );
    const stateDirectory = await realpath(this.parts.stateDirectory);
    const host = await viewHost({
      user,
      callerEnvironment: request.environment,
      places,
      hiddenDirectories: [stateDirectory],
    });
    return succeed(
      sessionGrant({
        sessionId: randomUUID(),
        application,
        user,
        argv,
        cwd: request.cwd,
        callerEnvironment: request.environment,
        folders: await this.foldersFor(user),
        profile: await served(profile.value),
        stdio: stdioFor(this.parts.set()),
        host,
        agentDirectories: [stateDirectory],
      }),
    );
  }

  private async foldersFor(user: SessionUser): Promise<ServedFolder[]> {
    const found: ServedFolder[] = [];
    for (const { directory, profile, state } of this.parts.folders()) {
      if (profile || state !== 'mounted') continue;
      if (!(await canPass(dirname(directory), user))) continue;
      const folder = await served(directory);
      if (folder !== null) found.push(folder);
    }
    return found;
  }

  private async register(sessiond: SessiondProcess, created: SessionCreated): Promise<void> {
    const session = this.registry.created(created);
    if (session === null) {
      sessiond.kill(created.session);
      return;
    }
    const { id, uid, application } = session;
    const { mountNamespace, pid } = created;
    const added = await this.parts.broadcast({
      type: 'session-add',
      session: { id, uid, application, mountNamespace, pid },
    });
    if (!added.ok) {
      // A folder whose sealfs is down hears of the session when it is back.
      this.parts.log.warn('a folder does not know a session yet', { ...added.error });
    }
    await this.store();
    this.registry.released(id);
    sessiond.go(id);
  }

  private async finish(sessiond: SessiondProcess, ended: SessionEnded): Promise<void> {
    const session = this.registry.get(ended.session);
    await this.forget(ended.session);
    sessiond.release(ended.session);
    if (session === null) return;
    await this.parts.record({
      kind: 'session-stop',
      user: { uid: session.uid },
      session: session.id,
      application: { id: session.application },
      outcome: ended.error === null ? 'done' : 'failed',
      details: { status: ended.status, signal: ended.signal, error: ended.error?.code ?? null },
    });
  }

  /** Its status is nobody's to know any more: its parent was an earlier sessiond. */
  private async finishAdopted({ id, uid, application }: StoredSession): Promise<void> {
    await this.forget(id);
    await this.parts.record({
      kind: 'session-stop',
      user: { uid },
      session: id,
      application: { id: application },
      outcome: 'done',
      details: { status: null, signal: null, adopted: true },
    });
  }

  private async forget(id: string): Promise<void> {
    this.registry.ended(id);
    await this.parts.broadcast({ type: 'session-remove', sessionId: id });
    await this.store();
  }

  private stored(): StoredSession[] {
    return [...this.registry.list().flatMap(storedForm), ...this.adopted.list()];
  }

  /** One write after another; the last one has everything. */
  private store(): Promise<void> {
    this.writing = this.writing.then(() => storeSessions(this.listPath, this.stored()));
    return this.writing;
  }
}

/** What the next agent would have to know; nothing of a session that has not been made yet. */
function storedForm(session: RunningSession): StoredSession[] {
  const { id, uid, application, pid, mountNamespace, argv, folders, startedAtMs } = session;
  if (pid === null || mountNamespace === null) return [];
  const lists = { argv: [...argv], folders: [...folders] };
  return [{ id, uid, application, pid, mountNamespace, startedAtMs, ...lists }];
}

async function served(directory: string): Promise<ServedFolder | null> {
  const found = await stat(directory, { bigint: true }).catch(() => null);
  return found === null ? null : { directory, device: String(found.dev) };
}

function stdioFor(set: PolicySet): 'none' | 'pass' {
  return set.lab ? 'pass' : 'none';
}
