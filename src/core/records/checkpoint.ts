/**
 * Checkpoints: the signed head of a trail.
 *
 * Layer: core. Signing and checking are handed in.
 * Spec: docs/spec/record-v1.md, section 5.
 */
import { canonicalText } from './encode.js';

export const CHECKPOINT_TAG = 'sealway-checkpoint-v1';

export interface CheckpointStatement {
  /** Sequence of the last record the signature speaks for. */
  readonly seq: number;
  /** That record's chain hash. */
  readonly hash: string;
  readonly device: string;
  /** Wall time of signing, milliseconds. */
  readonly wallMs: number;
}

export interface Checkpoint extends CheckpointStatement {
  /** The device's Ed25519 public key, 64 hex digits. */
  readonly publicKey: string;
  /** Ed25519 signature over `checkpointMessage`, 128 hex digits. */
  readonly signature: string;
}

/** True when `signature` (hex) by `publicKey` (hex) fits the UTF-8 bytes of `message`. */
export type VerifySignature = (publicKey: string, message: string, signature: string) => boolean;

/** What the device signs. */
export function checkpointMessage(statement: CheckpointStatement): string {
  const { device, hash, seq, wallMs } = statement;
  return `${CHECKPOINT_TAG}\n${canonicalText({ device, hash, seq, wallMs })}`;
}
