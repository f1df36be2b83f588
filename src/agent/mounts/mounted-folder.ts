/**
 * Keeps one protected folder mounted: starts sealfs, gives it what it needs, starts it again.
 *
 * Layer: agent. Spec: docs/spec/sealfs-control-v1.md; docs/adr/0011.
 * Order: a sealfs that a previous agent left is taken over, never started twice; a dead mount is
 *   detached before a new one is made; configuration, keys, table and sessions are sent in this
 *   order, so that no plain view exists before all of them are known.
 * Not here: which folders there are (`mount-service.ts`), records (`event-intake.ts`).
 */
import { EventEmitter } from 'node:events';
import type { z } from 'zod';
import {
  SEALFS_PROTOCOL,
  SealPendingAnswer,
  SealfsHealth,
  SealfsHello,
  type FolderConfiguration,
  type SealfsCall,
  type SealfsEvent,
  type SealfsSession,
  type SealfsTable,
} from '../../contracts/sealfs-control.js';
import { succeed, type Result } from '../../core/errors/result.js';
import { SealfsClient } from '../../native-bridge/sealfs-client.js';
import { startSealfs } from '../../native-bridge/sealfs-process.js';
import { detachSealfs, isSealfsMount, readMountTable } from './mount-table.js';

export interface SealfsKey {
  readonly area: string;
  readonly label: string;
  readonly epoch: number;
  /** 64 hex digits; held only while a message is built. */
  readonly key: string;
}

/** What every sealfs must know, read anew for each connection. */
export interface SealfsProvision {
  readonly configuration: () => FolderConfiguration;
  readonly keys: () => readonly SealfsKey[];
  readonly table: () => SealfsTable;
  readonly sessions: () => readonly SealfsSession[];
}

export interface FolderPaths {
  readonly directory: string;
  readonly control: string;
  readonly spool: string;
  readonly redo: string;
  readonly log: string;
}

export interface MountedFolderEvents {
  event: [SealfsEvent];
  /** `again` is true when programs may still hold the mount that died. */
  mounted: [{ pid: number; again: boolean }];
  lost: [string];
  failed: [string];
}

const MOUNT_DEADLINE_MS = 15_000;
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 2_000;
/**
 * A sealfs that served this long did not fail at its start: the next one is started at once. Waits
 * grow only for one that cannot even begin, so that a folder is back soon however often it is hit.
 */
const HEALTHY_AFTER_MS = 1_000;

export class MountedFolder extends EventEmitter<MountedFolderEvents> {
  readonly paths: FolderPaths;
  private readonly provision: SealfsProvision;
  private client: SealfsClient | undefined;
  private retryMs = FIRST_RETRY_MS;
  private mountedAtMs = 0;
  private stopping = false;
  private everMounted = false;
  private retryTimer: NodeJS.Timeout | undefined;
  pid: number | null = null;
  state: 'starting' | 'mounted' | 'restarting' | 'failed' | 'stopped' = 'starting';
  detail = '';

  constructor(paths: FolderPaths, provision: SealfsProvision) {
    super();
    this.paths = paths;
    this.provision = provision;
  }

  /** Mounts, or takes over the sealfs that serves this folder already. */
  async start(): Promise<Result<void>> {
    const taken = await this.connect();
    if (taken.ok) return taken;
    const detached = await detachSealfs(this.paths.directory);
    if (!detached.ok) return this.failed(detached.error.detail, detached);
    const started = await startSealfs({
      folder: this.paths.directory,
      controlPath: this.paths.control,
      spoolPath: this.paths.spool,
      redoPath: this.paths.redo,
      logPath: this.paths.log,
      deadlineMs: MOUNT_DEADLINE_MS,
    });
    if (!started.ok) return this.failed(started.error.detail, started);
    // Programs may hold the mount that was taken away, also when an earlier agent made it.
    this.everMounted ||= detached.value > 0;
    const connected = await this.connect();
    return connected.ok ? connected : this.failed(connected.error.detail, connected);
  }

  /** Sends one request that has no answer but yes or no; waits for the answer. */
  async order(call: SealfsCall): Promise<Result<void>> {
    if (this.client === undefined) return succeed(undefined); // sent whole at the next connection
    return this.client.order(call);
  }

  async health(): Promise<Result<SealfsHealth> | undefined> {
    return this.client?.call({ type: 'health' }, SealfsHealth);
  }

  async sealPending(): Promise<Result<z.infer<typeof SealPendingAnswer>> | undefined> {
    return this.client?.call({ type: 'seal-pending' }, SealPendingAnswer);
  }

  /**
   * Unmounts. With `lazy` also when programs hold files open: those keep the mount until they
   * close it, new look-ups see the sealed files of the backing store.
   */
  async stop(lazy: boolean): Promise<Result<void>> {
    this.stopping = true;
    clearTimeout(this.retryTimer);
    const client = this.client;
    if (client !== undefined) {
      const answer = await client.order({ type: 'unmount', lazy });
      if (!answer.ok && answer.error.code === 'E_SEALFS_REFUSED') {
        this.stopping = false;
        return answer;
      }
      client.close();
    }
    const detached = await detachSealfs(this.paths.directory);
    this.state = 'stopped';
    this.pid = null;
    return detached.ok ? succeed(undefined) : detached;
  }

  /** Leaves sealfs serving and goes away, as when the agent is restarted. */
  abandon(): void {
    this.stopping = true;
    clearTimeout(this.retryTimer);
    this.client?.close();
  }

  private async connect(): Promise<Result<void>> {
    const connected = await SealfsClient.connect(this.paths.control, {
      onEvent: (event) => this.emit('event', event),
      onClose: (reason) => {
        this.onLost(reason);
      },
    });
    if (!connected.ok) return connected;
    const client = connected.value;
    const hello = await client.call(
      { type: 'hello', protocol: SEALFS_PROTOCOL, agentPid: process.pid },
      SealfsHello,
    );
    if (!hello.ok) return hello;
    const supplied = await this.supply(client);
    if (!supplied.ok) return supplied;
    this.client = client;
    this.pid = hello.value.pid;
    this.state = 'mounted';
    this.detail = '';
    this.mountedAtMs = Date.now();
    const again = this.everMounted;
    this.everMounted = true;
    this.emit('mounted', { pid: hello.value.pid, again });
    return succeed(undefined);
  }

  private async supply(client: SealfsClient): Promise<Result<void>> {
    const calls: SealfsCall[] = [
      { type: 'configure', folder: this.provision.configuration() },
      { type: 'keys-add', keys: [...this.provision.keys()] },
      { type: 'table', table: this.provision.table() },
      { type: 'sessions', sessions: [...this.provision.sessions()] },
    ];
    for (const call of calls) {
      const answer = await client.order(call);
      if (!answer.ok) return answer;
    }
    return succeed(undefined);
  }

  private onLost(reason: string): void {
    const wasServing = this.client !== undefined;
    this.client = undefined;
    this.pid = null;
    if (this.stopping || !wasServing) return;
    this.state = 'restarting';
    this.detail = reason;
    this.emit('lost', reason);
    if (Date.now() - this.mountedAtMs > HEALTHY_AFTER_MS) this.retryMs = FIRST_RETRY_MS;
    this.retryLater();
  }

  private retryLater(): void {
    this.retryTimer = setTimeout(() => {
      void this.retry();
    }, this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, LAST_RETRY_MS);
  }

  private async retry(): Promise<void> {
    if (this.stopping) return;
    const started = await this.start();
    if (!started.ok && !this.mayBeStopping()) this.retryLater();
  }

  /** Read through a method: `stop` may have run during an await. */
  private mayBeStopping(): boolean {
    return this.stopping;
  }

  private failed(detail: string, failure: Result<never>): Result<never> {
    this.state = 'failed';
    this.detail = detail;
    this.emit('failed', detail);
    return failure;
  }

  /** True when the kernel shows our mount at the folder. */
  isMounted(): boolean {
    return isSealfsMount(this.paths.directory, readMountTable());
  }
}
