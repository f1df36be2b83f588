/**
 * Checks a trail: every hash recomputed, every checkpoint's signature tried, in one pass.
 *
 * Layer: core. Streams: memory does not grow with the trail. Hash and signature are handed in.
 * Spec: docs/spec/record-v1.md, section 6 ("Verification"), which also says what no local check
 *   can find: records after the last checkpoint cut off or rewritten together with the head file.
 * Not here: reading databases and export files (src/platform/trail-reader.ts).
 */
import { chainHash, type ChainHead, type Sha256Hex } from './chain.js';
import { readClaims, type RecordClaims } from './claims.js';
import { CheckpointCheck } from './verify-checkpoints.js';
import {
  MAX_LISTED_GAPS,
  type DeclaredGap,
  type StoredRecord,
  type TrailFinding,
  type TrailItem,
  type TrailProblem,
  type TrailReport,
  type TrailSource,
  type VerifyTools,
} from './verify-types.js';

/**
 * Verifies a trail to its end, or to the first fault.
 *
 * @throws what `source.items` throws. Bad content is never thrown: it is the report's `finding`.
 */
export async function verifyTrail(source: TrailSource, tools: VerifyTools): Promise<TrailReport> {
  const walk = new TrailWalk(source, tools);
  const items = source.items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await items.next();
      if (next.done === true) return walk.finish();
      const finding = walk.take(next.value);
      if (finding !== undefined) return walk.report(await settle(finding, items));
    }
  } finally {
    await items.return?.();
  }
}

/** A record missing here may stand further on; only the rest of the trail can tell. */
async function settle(
  finding: TrailFinding,
  rest: AsyncIterator<TrailItem>,
): Promise<TrailFinding> {
  if (finding.problem !== 'removed') return finding;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    if (next.value.type !== 'record') continue;
    const claims = readClaims(next.value.body);
    if (claims?.seq !== finding.seq) continue;
    const place = `record ${String(finding.seq)} stands at another place in the trail`;
    return { ...finding, problem: 'reordered', detail: place };
  }
  return finding;
}

class TrailWalk {
  private readonly base: ChainHead;
  private readonly sha256: Sha256Hex;
  private readonly checkpoints: CheckpointCheck;
  private readonly end: TrailSource['end'];
  private head: ChainHead;
  /** The hash before `head`'s: tells an inserted record from a changed one. */
  private beforeHead: string | undefined;
  private records = 0;
  private gapCount = 0;
  private readonly gaps: DeclaredGap[] = [];

  constructor(source: TrailSource, tools: VerifyTools) {
    this.base = source.base;
    this.head = source.base;
    this.end = source.end;
    this.sha256 = tools.sha256;
    this.checkpoints = new CheckpointCheck(source, tools);
  }

  take(item: TrailItem): TrailFinding | undefined {
    if (item.type === 'checkpoint') return this.checkpoints.take(item, this.head);
    const claims = readClaims(item.body);
    const finding = this.placeOf(item, claims) ?? this.linkOf(item);
    if (finding !== undefined) return finding;
    this.beforeHead = this.head.hash;
    this.head = { seq: item.seq, hash: item.hash };
    this.records += 1;
    if (claims?.kind === 'gap') this.noteGap(item.seq, claims);
    return this.checkpoints.passed(this.head);
  }

  finish(): TrailReport {
    return this.report(this.checkpoints.finish(this.head) ?? this.endOf());
  }

  report(finding: TrailFinding | undefined): TrailReport {
    const { publicKey } = this.checkpoints;
    return {
      ok: finding === undefined,
      ...(finding === undefined ? {} : { finding }),
      records: this.records,
      firstSeq: this.records === 0 ? 0 : this.base.seq + 1,
      lastSeq: this.head.seq,
      headHash: this.head.hash,
      checkpoints: this.checkpoints.count,
      signedThrough: this.checkpoints.signedThrough,
      ...(publicKey === undefined ? {} : { publicKey }),
      gapCount: this.gapCount,
      gaps: this.gaps,
    };
  }

  private endOf(): TrailFinding | undefined {
    const { end } = this;
    const next = this.head.seq + 1;
    if (end === 'missing') return found(next, 'truncated', 'the export has no end line');
    if (end === undefined || end.hash === this.head.hash) return undefined;
    return found(next, 'truncated', `the export was made up to record ${String(end.seq)}`);
  }

  private noteGap(seq: number, claims: RecordClaims): void {
    this.gapCount += 1;
    if (this.gaps.length >= MAX_LISTED_GAPS) return;
    this.gaps.push({ seq, cause: claims.gapCause ?? 'unknown', wallMs: claims.wallMs });
  }

  /** Is this the record that belongs here? */
  private placeOf(item: StoredRecord, claims: RecordClaims | undefined): TrailFinding | undefined {
    const want = this.head.seq + 1;
    if (item.seq > want) {
      const range = `${String(want)} to ${String(item.seq - 1)}`;
      return found(want, 'removed', `records ${range} are missing`);
    }
    if (item.seq < want) {
      return found(want, 'inserted', `a second record ${String(item.seq)} stands here`);
    }
    if (claims === undefined) return found(want, 'changed', 'its text is not a canonical record');
    if (claims.seq === want) return undefined;
    return this.misplaced(item, claims.seq, want);
  }

  private misplaced(item: StoredRecord, says: number, want: number): TrailFinding {
    const intact = this.hashOf(item.previous, item) === item.hash;
    const detail = `it says that it is record ${String(says)}`;
    if (!intact) return found(want, 'changed', detail);
    if (says > want) return found(want, 'removed', `the record here is number ${String(says)}`);
    // It follows the one before the last: the last was pushed in between.
    if (item.previous === this.beforeHead) {
      return found(want - 1, 'inserted', `record ${String(says)} was pushed on by it`);
    }
    return found(want, 'inserted', detail);
  }

  /** Does it follow the record before it, and is it whole? */
  private linkOf(item: StoredRecord): TrailFinding | undefined {
    const { hash, seq } = this.head;
    const here = seq + 1;
    if (this.hashOf(hash, item) !== item.hash) {
      const followsAnother =
        item.previous !== hash && this.hashOf(item.previous, item) === item.hash;
      if (followsAnother && seq > this.base.seq) {
        return found(seq, 'changed', `record ${String(here)} was chained to another record`);
      }
      return found(here, 'changed', 'its hash does not fit its content');
    }
    if (item.previous === hash) return undefined;
    return found(here, 'changed', 'the previous hash stored with it was changed');
  }

  private hashOf(previous: string, item: StoredRecord): string {
    return chainHash(this.sha256, previous, item.body);
  }
}

function found(seq: number, problem: TrailProblem, detail: string): TrailFinding {
  return { seq, problem, detail };
}
