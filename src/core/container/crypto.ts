/**
 * The primitives that the container needs, as an interface.
 *
 * Layer: core. Implemented in src/platform/container/node-crypto.ts; tests may give their own.
 * Spec: docs/spec/container-v1.md, section 4.
 */

/** What AES-256-GCM returns: as many bytes as went in, and a 128-bit tag. */
export interface Sealed {
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/** Suite 1: AES-256-GCM with a 96-bit nonce and a 128-bit tag, HKDF-SHA-256, HMAC-SHA-256. */
export interface ContainerCrypto {
  /** Cryptographically strong random bytes. */
  randomBytes(size: number): Uint8Array;
  sha256(bytes: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array;
  /** RFC 5869, extract then expand; `info` is ASCII. */
  hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: string, size: number): Uint8Array;
  aes256GcmSeal(
    key: Uint8Array,
    nonce: Uint8Array,
    associated: Uint8Array,
    plain: Uint8Array,
  ): Sealed;
  /** `null` when the tag does not fit; no plaintext is returned then. */
  aes256GcmOpen(
    key: Uint8Array,
    nonce: Uint8Array,
    associated: Uint8Array,
    sealed: Sealed,
  ): Uint8Array | null;
}
