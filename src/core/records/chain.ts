/**
 * The chain: each record's hash covers its bytes and the hash of the record before it.
 *
 * Layer: core. The hash function is handed in: core has no Node.
 * Spec: docs/spec/record-v1.md, section 4. All inputs are text, so that anybody can check a hash
 *   with `printf` and `sha256sum`.
 */

/** SHA-256 of the UTF-8 bytes of a text, as 64 lower-case hex digits. */
export type Sha256Hex = (text: string) => string;

export const CHAIN_TAG = 'sealway-record-v1';

/** Stands for the hash before the first record. */
export const GENESIS_HASH = '0'.repeat(64);

export interface ChainHead {
  /** Sequence of the last record; 0 when there is none. */
  readonly seq: number;
  /** Its hash; `GENESIS_HASH` when there is none. */
  readonly hash: string;
}

export const EMPTY_CHAIN: ChainHead = { seq: 0, hash: GENESIS_HASH };

/** The hash of a record with canonical text `body` that follows a record with hash `previous`. */
export function chainHash(sha256: Sha256Hex, previous: string, body: string): string {
  return sha256(`${CHAIN_TAG}\n${previous}\n${body}`);
}
