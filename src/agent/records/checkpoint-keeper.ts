/**
 * When the head is signed, and where the signature goes.
 *
 * Layer: agent. Every N records, after a time with new records, at the start and at the stop.
 * Order of writes: the row in the database, then the head file, one after another.
 */
import type { ChainHead } from '../../core/records/chain.js';
import { checkpointMessage, type Checkpoint } from '../../core/records/checkpoint.js';
import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/logger.js';
import { writeHeadFile } from './head-file.js';
import type { TrailBackend, TrailReply } from './trail-protocol.js';

/** The device's identity, as far as the trail needs it. */
export interface DeviceSigner {
  /** 32 hex digits. */
  readonly device: string;
  /** Ed25519 public key, 64 hex digits. */
  readonly publicKey: string;
  /** Ed25519 signature over the UTF-8 bytes of `message`, 128 hex digits. */
  sign(message: string): string;
}

export interface CheckpointOptions {
  readonly trailPath: string;
  readonly signer: DeviceSigner;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly everyRecords: number;
  readonly everyMs: number;
}

export class CheckpointKeeper {
  private readonly options: CheckpointOptions;
  private lastSeq = 0;
  private pending = 0;
  private waiting: (() => void)[] = [];
  private writes: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  constructor(options: CheckpointOptions) {
    this.options = options;
  }

  afterBatch(head: ChainHead, backend: TrailBackend): void {
    if (head.seq - this.lastSeq >= this.options.everyRecords) {
      this.make(head, backend);
      return;
    }
    this.timer ??= setTimeout(() => {
      this.make(head, backend);
    }, this.options.everyMs).unref();
  }

  make(head: ChainHead, backend: TrailBackend): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (head.seq === 0 || head.seq === this.lastSeq) return;
    this.lastSeq = head.seq;
    this.pending += 1;
    backend.post({ type: 'checkpoint', checkpoint: this.sign(head) });
  }

  onStored({ checkpoint, stored }: Extract<TrailReply, { type: 'checkpointed' }>): void {
    if (!stored) this.options.logger.warn('a signed head could not be stored in the trail');
    this.writes = this.writes.then(() => this.writeHead(checkpoint));
  }

  /** Resolves when every signed head is on disk, or has failed to get there. */
  settled(): Promise<void> {
    if (this.pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** The backend is gone: nobody will answer for what is pending. */
  onGone(): void {
    this.pending = 0;
    this.tellSettled();
  }

  private tellSettled(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private sign(head: ChainHead): Checkpoint {
    const { clock, signer } = this.options;
    const { device, publicKey } = signer;
    const statement = { seq: head.seq, hash: head.hash, device, wallMs: clock.wallMs() };
    return { ...statement, publicKey, signature: signer.sign(checkpointMessage(statement)) };
  }

  private async writeHead(checkpoint: Checkpoint): Promise<void> {
    const written = await writeHeadFile(this.options.trailPath, checkpoint);
    if (!written.ok)
      this.options.logger.warn('the head file was not written', { ...written.error });
    this.pending = Math.max(0, this.pending - 1);
    if (this.pending === 0) this.tellSettled();
  }
}
