/**
 * What verification of a trail needs of Node: SHA-256 and Ed25519, over text and hex.
 *
 * Layer: platform.
 */
import { createPublicKey, hash, verify, type KeyObject } from 'node:crypto';
import type { Sha256Hex } from '../core/records/chain.js';
import type { VerifySignature } from '../core/records/checkpoint.js';

/** The DER bytes before the 32 bytes of an Ed25519 public key (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export const sha256Hex: Sha256Hex = (text) => hash('sha256', text, 'hex');

/** False for a bad signature and for anything that is no key or signature at all. */
export const verifySignatureHex: VerifySignature = (publicKey, message, signature) => {
  if (!/^[0-9a-f]{64}$/.test(publicKey) || !/^[0-9a-f]{128}$/.test(signature)) return false;
  try {
    const key = ed25519PublicKey(Buffer.from(publicKey, 'hex'));
    return verify(null, Buffer.from(message, 'utf8'), key, Buffer.from(signature, 'hex'));
  } catch {
    return false;
  }
};

/** @param raw - 32 bytes. */
export function ed25519PublicKey(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
}
