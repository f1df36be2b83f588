/**
 * The constants of the sealed container, version 1: where each field lies and which values it takes.
 *
 * Layer: core. Spec: docs/spec/container-v1.md, sections 1 to 5. Change the spec first.
 * Not here: arithmetic on sizes (`geometry.ts`) and reading or building a slot (`slot.ts`).
 */

export const HEAD_BYTES = 4096;
export const PREAMBLE_BYTES = 512;
export const SLOT_BYTES = 1536;
export const RESERVED_OFFSET = 3584;

export const MAGIC = 'SEALWAY1';
export const MAGIC_BYTES = 8;
export const SLOT_MAGIC = 'SLW1';

export const MAJOR_VERSION = 1;
export const SUITE_AES_256_GCM = 1;

export const MIN_CHUNK_SIZE_LOG2 = 12;
export const MAX_CHUNK_SIZE_LOG2 = 20;
export const DEFAULT_CHUNK_SIZE_LOG2 = 14;

export const MAX_LABEL_BYTES = 64;
export const MAX_AREA_BYTES = 96;
export const MAX_EXTENSION_BYTES = 1024;

export const ID_BYTES = 16;
export const KEY_BYTES = 32;
export const DIGEST_BYTES = 32;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
/** What one frame adds on disk: a 12-byte nonce before it and a 16-byte tag after it. */
export const FRAME_OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES;

/** Random 96-bit nonces: SP 800-38D, section 8.3. Holds for slots and for frames of one file. */
export const MAX_WRITES_PER_KEY = 2 ** 32;

/** The two slots and where they lie. The order is that of the bytes, not of their age. */
export const SLOT_OFFSETS = { A: 512, B: 2048 } as const;
export type SlotName = keyof typeof SLOT_OFFSETS;

/** Offsets of the fields inside a slot, section 3. */
export const SLOT_FIELD = {
  majorVersion: 4,
  minorVersion: 6,
  suite: 8,
  chunkSizeLog2: 10,
  state: 11,
  flags: 12,
  generation: 16,
  plainSize: 24,
  fileId: 32,
  parentFileId: 48,
  deviceId: 64,
  createdMs: 80,
  epoch: 88,
  labelLength: 92,
  areaLength: 93,
  extensionLength: 94,
  label: 96,
  area: 160,
  extensions: 256,
  secretNonce: 1280,
  secret: 1292,
  secretTag: 1356,
  reserved: 1372,
  checksum: 1528,
} as const;

export const STATE_SEALED = 1;
export const STATE_OPEN = 2;

/** Bits of `flags`; the others are kept as they are found. */
export const FLAG_PERSONAL = 1;
export const FLAG_SENSITIVE_PERSONAL = 2;

export const EXTENSION_ORIGIN_NAME = 0x0001;
