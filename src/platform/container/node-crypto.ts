/**
 * The container's primitives by node:crypto (OpenSSL).
 *
 * Layer: platform. Spec: docs/spec/container-v1.md, section 4.
 * Not here: the order in which they are used (src/core/container).
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
} from 'node:crypto';
import type { ContainerCrypto } from '../../core/container/crypto.js';
import { TAG_BYTES } from '../../core/container/format.js';

const CIPHER = 'aes-256-gcm';
const TAG = { authTagLength: TAG_BYTES };

export const nodeContainerCrypto: ContainerCrypto = {
  randomBytes: (size) => randomBytes(size),
  sha256: (bytes) => createHash('sha256').update(bytes).digest(),
  hmacSha256: (key, bytes) => createHmac('sha256', key).update(bytes).digest(),
  hkdfSha256: (ikm, salt, info, size) =>
    new Uint8Array(hkdfSync('sha256', ikm, salt, Buffer.from(info, 'ascii'), size)),
  aes256GcmSeal: (key, nonce, associated, plain) => {
    const cipher = createCipheriv(CIPHER, key, nonce, TAG).setAAD(associated);
    const ciphertext = cipher.update(plain);
    cipher.final();
    return { ciphertext, tag: cipher.getAuthTag() };
  },
  aes256GcmOpen: (key, nonce, associated, { ciphertext, tag }) => {
    const decipher = createDecipheriv(CIPHER, key, nonce, TAG).setAAD(associated).setAuthTag(tag);
    const plain = decipher.update(ciphertext);
    try {
      decipher.final();
      return plain;
    } catch {
      // Not authentic: what `update` gave must not be seen by anybody.
      plain.fill(0);
      return null;
    }
  },
};
