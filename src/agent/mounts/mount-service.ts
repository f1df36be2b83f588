/**
 * All protected folders of this machine: protect, guard, tell them what changes, let them go.
 *
 * Layer: agent. Spec: docs/architecture.md, "Protecting a folder".
 * Order when protecting: the folder enters the list (durable) → its files are sealed one by one,
 *   each atomically → it is mounted → what was created meanwhile is sealed by sealfs. A crash
 *   anywhere is continued at the next start, because the list says so.
 * Order when letting go: unmount → unseal (if asked) → the folder leaves the list.
 */
import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FolderStatus, ProgressEvent } from '../../contracts/local-api.js';
import type { SealfsCall } from '../../contracts/sealfs-control.js';
import { fail, succeed, type Result } from '../../core/errors/result.js';
import { EventIntake, type RecordSink } from './event-intake.js';
import { GuardedFolder } from './guarded-folder.js';
import type { FolderStore, StoredFolder } from './folder-store.js';
import { MountedFolder, type SealfsProvision } from './mounted-folder.js';
import { checkProtectable } from './protect-check.js';
import type { SealingOutcome, SealingPort } from './sealing-port.js';

export interface MountServiceParts {
  readonly store: FolderStore;
  readonly stateDirectory: string;
  readonly sealing: SealingPort;
  readonly record: RecordSink;
  /** The newest event of each folder that the trail holds already, by folder id. */
  readonly newestRecorded: ReadonlyMap<string, number>;
  readonly provisionFor: (folder: StoredFolder) => SealfsProvision;
  /** Makes the key of a folder's label and area where there is none yet. */
  readonly prepareKeys: (folder: StoredFolder) => Promise<Result<void>>;
  /** A profile folder of this user exists from now on. */
  readonly onProfile: (uid: number) => void;
  /** False where /dev/fuse is missing or `--watched-folder` was given. */
  readonly useSealfs: boolean;
}

export interface ProtectRequest {
  readonly directory: string;
  readonly label: string;
  readonly area: string;
  readonly report: (event: ProgressEvent) => void;
  readonly signal: AbortSignal;
}

export interface MountServiceEvents {
  /** sealfs has mounted again after a fault: sessions hold the dead mount. */
  remounted: [directory: string];
}

export class MountService extends EventEmitter<MountServiceEvents> {
  private readonly parts: MountServiceParts;
  private readonly folders = new Map<string, GuardedFolder>();
  /** One sealfs for each folder: whoever asks meanwhile gets the outcome of the first. */
  private readonly comingUp = new Map<string, Promise<Result<SealingOutcome>>>();

  constructor(parts: MountServiceParts) {
    super();
    this.parts = parts;
  }

  /** Guards every folder of the list. One that fails is reported and does not stop the others. */
  async startAll(report: (folder: string, problem: string) => void): Promise<void> {
    for (const stored of this.parts.store.list()) {
      const folder = this.adopt(stored);
      const sealed = await this.prepare(folder, ignoreProgress, new AbortController().signal);
      if (!sealed.ok) folder.giveUp(sealed.error.detail);
      const guarded = sealed.ok ? await folder.guard() : sealed;
      if (!guarded.ok) report(stored.directory, guarded.error.detail);
      else await folder.mounted?.sealPending();
    }
  }

  /** Protects a directory; protecting a protected one goes on where it was left. */
  async protect(request: ProtectRequest): Promise<Result<SealingOutcome>> {
    const checked = await checkProtectable(
      request.directory,
      this.list()
        .filter(({ profile }) => !profile)
        .map(({ directory }) => directory),
      this.parts.stateDirectory,
    );
    if (!checked.ok) return checked;
    const existing = this.byDirectory(checked.value);
    if (existing?.isGuarding() === true) return succeed({ sealed: 0, skipped: 0 });
    const folder = existing ?? this.adopt(this.describe(checked.value, request, null));
    const outcome = await this.bringUp(folder, request.report, request.signal);
    await this.parts.record({
      kind: 'folder-protected',
      object: { path: checked.value, label: folder.stored.label, area: folder.stored.area },
      outcome: outcome.ok ? 'done' : 'failed',
      details: outcome.ok ? { ...outcome.value } : { code: outcome.error.code },
    });
    return outcome;
  }

  /** Stops guarding a directory; with `unseal` its files are in the clear afterwards. */
  async unprotect(
    directory: string,
    unseal: boolean,
    report: (event: ProgressEvent) => void,
    signal: AbortSignal,
  ): Promise<Result<SealingOutcome>> {
    const folder = this.byDirectory(directory);
    if (folder?.stored.profileOf !== null) {
      return fail('E_NOT_PROTECTED', directory);
    }
    const released = await folder.release(false);
    if (!released.ok) return released;
    const { label, area } = folder.stored;
    const outcome = unseal
      ? await this.parts.sealing.unseal({ directory, label, area, report, signal })
      : succeed({ sealed: 0, skipped: 0 });
    if (!outcome.ok) return outcome;
    this.folders.delete(folder.stored.id);
    const saved = await this.parts.store.remove(folder.stored.id);
    if (!saved.ok) return saved;
    await this.parts.record({
      kind: 'folder-unprotected',
      object: { path: directory, label, area },
      outcome: 'done',
      details: { unsealed: unseal, ...outcome.value },
    });
    return outcome;
  }

  /** The profile folder of a user's sealed sessions: made and mounted when it is first needed. */
  async profileOf(uid: number, gid: number): Promise<Result<string>> {
    const directory = join(this.parts.stateDirectory, 'profiles', String(uid));
    this.parts.onProfile(uid);
    if (this.byDirectory(directory) === undefined) {
      await mkdir(directory, { recursive: true, mode: 0o711 });
      if (process.getuid?.() === 0) await chown(directory, uid, gid);
    }
    const folder =
      this.byDirectory(directory) ?? this.adopt(this.describe(directory, profileLabel(uid), uid));
    if (folder.isGuarding()) return succeed(directory);
    // A session that wrote there now would write in the clear.
    if (folder.mounted?.state === 'restarting') return fail('E_SEALFS_LOST', directory);
    const up = await this.bringUp(folder, ignoreProgress, new AbortController().signal);
    return up.ok ? succeed(directory) : up;
  }

  /** Tells every folder; a folder that is down gets it with its next connection. */
  async broadcast(call: SealfsCall): Promise<Result<void>> {
    const answers = await Promise.all([...this.folders.values()].map((f) => f.order(call)));
    return answers.find((answer) => !answer.ok) ?? succeed(undefined);
  }

  list(): FolderStatus[] {
    return [...this.folders.values()].map((folder) => folder.status());
  }

  /** The protected folder that holds `path`, the user's profile folders left out. */
  holding(path: string): FolderStatus | undefined {
    return this.list().find(
      ({ directory, profile }) => !profile && path.startsWith(`${directory}/`),
    );
  }

  /** Unmounts everything, busy or not; the files stay sealed. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.folders.values()].map((folder) => folder.release(true)));
  }

  private byDirectory(directory: string): GuardedFolder | undefined {
    return [...this.folders.values()].find(({ stored }) => stored.directory === directory);
  }

  private bringUp(
    folder: GuardedFolder,
    report: (event: ProgressEvent) => void,
    signal: AbortSignal,
  ): Promise<Result<SealingOutcome>> {
    const { id } = folder.stored;
    const running = this.comingUp.get(id);
    if (running !== undefined) return running;
    const started = this.bringUpNow(folder, report, signal).finally(() => {
      this.comingUp.delete(id);
    });
    this.comingUp.set(id, started);
    return started;
  }

  private async bringUpNow(
    folder: GuardedFolder,
    report: (event: ProgressEvent) => void,
    signal: AbortSignal,
  ): Promise<Result<SealingOutcome>> {
    const added = await this.parts.store.add(folder.stored);
    if (!added.ok) return added;
    const sealed = await this.prepare(folder, report, signal);
    if (!sealed.ok) {
      folder.giveUp(sealed.error.detail);
      return sealed;
    }
    const guarded = await folder.guard();
    if (!guarded.ok) return guarded;
    const pending = await folder.mounted?.sealPending();
    const late = pending?.ok === true ? pending.value.sealed : 0;
    return succeed({ sealed: sealed.value.sealed + late, skipped: sealed.value.skipped });
  }

  /** Seals what lies there, unless a sealfs of an earlier agent guards the folder already. */
  private async prepare(
    folder: GuardedFolder,
    report: (event: ProgressEvent) => void,
    signal: AbortSignal,
  ): Promise<Result<SealingOutcome>> {
    if (folder.mounted?.isMounted() === true) return succeed({ sealed: 0, skipped: 0 });
    const { directory, label, area } = folder.stored;
    if (!existsSync(directory)) return fail('E_FOLDER_NOT_FOUND', directory);
    const keyed = await this.parts.prepareKeys(folder.stored);
    if (!keyed.ok) return keyed;
    folder.preparing = true;
    try {
      return await this.parts.sealing.seal({ directory, label, area, report, signal });
    } finally {
      folder.preparing = false;
    }
  }

  private describe(
    directory: string,
    { label, area }: { readonly label: string; readonly area: string },
    profileOf: number | null,
  ): StoredFolder {
    const id = createHash('sha256').update(directory).digest('hex').slice(0, 12);
    const engine = this.parts.useSealfs ? 'sealfs' : 'watched-folder';
    return { id, directory, label, area, profileOf, engine };
  }

  private adopt(stored: StoredFolder): GuardedFolder {
    const engine = this.parts.useSealfs ? 'sealfs' : 'watched-folder';
    const mounted = engine === 'sealfs' ? this.mountedFor(stored) : undefined;
    const folder = new GuardedFolder({ ...stored, engine }, mounted, this.parts.sealing);
    this.folders.set(stored.id, folder);
    return folder;
  }

  private mountedFor(stored: StoredFolder): MountedFolder {
    const state = this.parts.stateDirectory;
    const mounted = new MountedFolder(
      {
        directory: stored.directory,
        control: join(state, 'run', 'sealfs', `${stored.id}.ctl`),
        spool: join(state, 'spool', `${stored.id}.events`),
        redo: join(state, 'spool', `${stored.id}.redo`),
        log: join(state, 'log', `sealfs-${stored.id}.log`),
      },
      this.parts.provisionFor(stored),
    );
    const newestRecorded = this.parts.newestRecorded.get(stored.id) ?? -1;
    const intake = new EventIntake({ ...stored, newestRecorded }, this.parts.record, (call) =>
      mounted.order(call),
    );
    mounted.on('event', (event) => {
      intake.take(event);
    });
    mounted.on('lost', (reason) => {
      void this.parts.record({
        kind: 'gap',
        object: { path: stored.directory },
        details: { cause: 'unclean-stop', of: 'sealfs', reason },
      });
    });
    mounted.on('mounted', ({ again }) => {
      if (!again) return;
      this.emit('remounted', stored.directory);
      // While nothing was mounted, programs outside wrote to the bare folder.
      void mounted.sealPending();
    });
    return mounted;
  }
}

/** Profile folders have a label and an area of their own: nobody else's session may open them. */
export function profileLabel(uid: number): { readonly label: string; readonly area: string } {
  return { label: 'profile', area: `user-${String(uid)}` };
}

function ignoreProgress(): void {
  // Nobody watches a folder being sealed at start.
}
