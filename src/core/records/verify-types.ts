/**
 * What verification takes and what it answers.
 *
 * Layer: core. Types alone; spec: docs/spec/record-v1.md, section 6.
 */
import type { ChainHead, Sha256Hex } from './chain.js';
import type { Checkpoint, VerifySignature } from './checkpoint.js';

/** One record as it is stored: its place, both hashes and its canonical text. */
export interface StoredRecord {
  readonly seq: number;
  readonly previous: string;
  readonly hash: string;
  readonly body: string;
}

/** What a trail consists of, in order; a checkpoint comes after the record it speaks for. */
export type TrailItem =
  ({ readonly type: 'record' } & StoredRecord) | ({ readonly type: 'checkpoint' } & Checkpoint);

export interface TrailSource {
  /** The head before the first item: `EMPTY_CHAIN`, or the last record left out or expired. */
  readonly base: ChainHead;
  /** The signed head kept beside the trail, where there is one. */
  readonly anchor?: Checkpoint;
  readonly items: AsyncIterable<TrailItem>;
  /** Where an export says that it ends; `missing` when it was cut before it could say so. */
  readonly end?: ChainHead | 'missing';
}

export interface VerifyTools {
  readonly sha256: Sha256Hex;
  readonly verifySignature: VerifySignature;
  /** The device's public key, known from elsewhere. Without it any one key is believed. */
  readonly publicKey?: string;
}

export type TrailProblem =
  | 'changed'
  | 'removed'
  | 'inserted'
  | 'reordered'
  | 'truncated'
  | 'rewritten'
  | 'checkpoint-forged';

/** The first thing that is wrong. `seq` is the first place that cannot be believed. */
export interface TrailFinding {
  readonly seq: number;
  readonly problem: TrailProblem;
  readonly detail: string;
}

/** A gap that the trail itself declares. */
export interface DeclaredGap {
  readonly seq: number;
  readonly cause: string;
  readonly wallMs: number;
}

export interface TrailReport {
  readonly ok: boolean;
  readonly finding?: TrailFinding;
  readonly records: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly headHash: string;
  readonly checkpoints: number;
  /** Last sequence that a valid checkpoint speaks for; 0 for none. */
  readonly signedThrough: number;
  /** The key of the checkpoints: compare its fingerprint with the enrolled device's. */
  readonly publicKey?: string;
  readonly gapCount: number;
  /** The first `MAX_LISTED_GAPS` of them. */
  readonly gaps: readonly DeclaredGap[];
}

export const MAX_LISTED_GAPS = 100;
