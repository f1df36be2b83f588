/**
 * The part of verification that looks at signed heads: those in the trail, and the one beside it.
 *
 * Layer: core. Spec: docs/spec/record-v1.md, sections 5 and 6.
 */
import type { ChainHead } from './chain.js';
import { checkpointMessage, type Checkpoint, type VerifySignature } from './checkpoint.js';
import type { TrailFinding, TrailSource, VerifyTools } from './verify-types.js';

export class CheckpointCheck {
  /** Valid checkpoints so far; the head file counts when it adds one. */
  count = 0;
  signedThrough = 0;
  publicKey: string | undefined;
  private readonly verifySignature: VerifySignature;
  private readonly base: ChainHead;
  private anchor: Checkpoint | undefined;

  constructor(source: TrailSource, tools: VerifyTools) {
    this.verifySignature = tools.verifySignature;
    this.publicKey = tools.publicKey;
    this.base = source.base;
    this.anchor = source.anchor;
  }

  /** A checkpoint inside the trail, met while `head` is the last record. */
  take(checkpoint: Checkpoint, head: ChainHead): TrailFinding | undefined {
    if (checkpoint.seq < head.seq) {
      return forged(checkpoint.seq, 'a checkpoint stands after later records');
    }
    return this.compare(checkpoint, head);
  }

  /** Called after each good record. */
  passed(head: ChainHead): TrailFinding | undefined {
    if (this.anchor?.seq !== head.seq) return undefined;
    const { anchor } = this;
    this.anchor = undefined;
    return this.compare(anchor, head);
  }

  /** Called at the end of the trail. */
  finish(head: ChainHead): TrailFinding | undefined {
    if (this.anchor === undefined) return undefined;
    // A head of an earlier part, which an export may leave out, is not looked at. 0 is never signed.
    if (this.anchor.seq > 0 && this.anchor.seq <= this.base.seq) return undefined;
    return this.compare(this.anchor, head);
  }

  private compare(checkpoint: Checkpoint, head: ChainHead): TrailFinding | undefined {
    const seq = String(checkpoint.seq);
    if (!this.isSigned(checkpoint)) {
      return forged(checkpoint.seq, `the signature of the head at record ${seq} does not fit`);
    }
    if (checkpoint.seq > head.seq) {
      const detail = `the signed head speaks of ${seq} records; the trail ends at ${String(head.seq)}`;
      return { seq: head.seq + 1, problem: 'truncated', detail };
    }
    if (checkpoint.hash !== head.hash) return this.rewritten(checkpoint);
    this.publicKey = checkpoint.publicKey;
    if (checkpoint.seq > this.signedThrough) this.count += 1;
    this.signedThrough = checkpoint.seq;
    return undefined;
  }

  private isSigned(checkpoint: Checkpoint): boolean {
    const { publicKey, signature } = checkpoint;
    if (this.publicKey !== undefined && this.publicKey !== publicKey) return false;
    return this.verifySignature(publicKey, checkpointMessage(checkpoint), signature);
  }

  /** The chain holds, yet is not the one that was signed. */
  private rewritten(checkpoint: Checkpoint): TrailFinding {
    const first = Math.max(this.signedThrough, this.base.seq) + 1;
    const range = `${String(first)} to ${String(checkpoint.seq)}`;
    const detail = `the records ${range} are not those that the device signed`;
    return { seq: first, problem: 'rewritten', detail };
  }
}

function forged(seq: number, detail: string): TrailFinding {
  return { seq, problem: 'checkpoint-forged', detail };
}
