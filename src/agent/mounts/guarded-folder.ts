/**
 * One protected folder and the engine that guards it: sealfs, or the watched folder where FUSE is
 * not to be had.
 *
 * Layer: agent. Not here: the list of folders (`folder-store.ts`), who may ask (`api`).
 */
import type { FolderStatus } from '../../contracts/local-api.js';
import type { SealfsCall } from '../../contracts/sealfs-control.js';
import { succeed, type Result } from '../../core/errors/result.js';
import type { StoredFolder } from './folder-store.js';
import type { MountedFolder } from './mounted-folder.js';
import type { SealingPort } from './sealing-port.js';

export class GuardedFolder {
  readonly stored: StoredFolder;
  readonly mounted: MountedFolder | undefined;
  private readonly sealing: SealingPort;
  private watcher: { readonly close: () => Promise<void> } | undefined;
  /** Set while files are being sealed, before the folder is guarded. */
  preparing = false;
  private failure = '';

  constructor(stored: StoredFolder, mounted: MountedFolder | undefined, sealing: SealingPort) {
    this.stored = stored;
    this.mounted = mounted;
    this.sealing = sealing;
  }

  /** It could not be made ready: it stays unguarded, and says why, until somebody tries again. */
  giveUp(reason: string): void {
    this.failure = reason;
  }

  /** Mounts or starts to watch. */
  async guard(): Promise<Result<void>> {
    this.failure = '';
    if (this.mounted !== undefined) return this.mounted.start();
    const { directory, label, area } = this.stored;
    const watching = await this.sealing.watch({ directory, label, area });
    if (!watching.ok) {
      this.failure = watching.error.detail;
      return watching;
    }
    this.watcher = watching.value;
    return succeed(undefined);
  }

  /** Sends a request to sealfs; nothing to do for a watched folder. */
  order(call: SealfsCall): Promise<Result<void>> {
    return this.mounted?.order(call) ?? Promise.resolve(succeed(undefined));
  }

  /** Stops guarding. The files stay sealed. */
  async release(lazy: boolean): Promise<Result<void>> {
    await this.watcher?.close();
    this.watcher = undefined;
    return this.mounted?.stop(lazy) ?? succeed(undefined);
  }

  isGuarding(): boolean {
    return this.watcher !== undefined || this.mounted?.state === 'mounted';
  }

  status(): FolderStatus {
    const { directory, label, area, profileOf, engine } = this.stored;
    return {
      directory,
      label,
      area,
      state: this.state(),
      detail: this.failure === '' ? (this.mounted?.detail ?? '') : this.failure,
      profile: profileOf !== null,
      engine,
      sealfsPid: this.mounted?.pid ?? null,
    };
  }

  private state(): FolderStatus['state'] {
    if (this.preparing) return 'sealing';
    if (this.mounted === undefined) return this.watcher === undefined ? 'failed' : 'watched';
    if (this.mounted.state === 'mounted' || this.mounted.state === 'restarting') {
      return this.mounted.state;
    }
    const starting = this.mounted.state === 'starting' && this.failure === '';
    return starting ? 'restarting' : 'failed';
  }
}
