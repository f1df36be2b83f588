/**
 * The authenticated part of the head: opening its secret, and writing slots.
 *
 * Layer: core. Bytes in, bytes out; the caller does the I/O.
 * Spec: docs/spec/container-v1.md, sections 3, 4 and 6.
 * Order of writes (the caller's): slot with state `open`, make durable, frames, make durable, slot
 *   with state `sealed`. `nextSlot` never touches the slot in force, so a cut at any byte of the
 *   write leaves the old one in force.
 */
import { fail, succeed, type AppError, type Result } from '../errors/result.js';
import { concatBytes, copyBytes } from './bytes.js';
import type { ContainerCrypto } from './crypto.js';
import { deriveHeaderKey, wipe } from './file-keys.js';
import {
  DIGEST_BYTES,
  HEAD_BYTES,
  KEY_BYTES,
  MAX_WRITES_PER_KEY,
  NONCE_BYTES,
  PREAMBLE_BYTES,
  SLOT_FIELD,
  SLOT_OFFSETS,
} from './format.js';
import { otherSlot, reservedBytes, slotBytes, type UnverifiedHead } from './head.js';
import { buildPreamble } from './preamble.js';
import { encodeSlotFields, slotChecksum, type SlotFields } from './slot.js';

/** What only a holder of the label key reads. Zero both with `wipeSecret` after use. */
export interface HeadSecret {
  readonly fileKey: Uint8Array;
  readonly accumulator: Uint8Array;
}

declare const verified: unique symbol;

/** A head that authenticated under its label key. Only this file makes one. */
export interface VerifiedHead extends UnverifiedHead {
  readonly [verified]: true;
}

export interface OpenedHead {
  readonly head: VerifiedHead;
  readonly secret: HeadSecret;
}

/** One slot to write, and the head as it will be once that is done. */
export interface SlotWrite {
  readonly diskOffset: number;
  readonly bytes: Uint8Array;
  readonly head: VerifiedHead;
}

/**
 * Authenticates the head and decrypts its secret.
 *
 * @param labelKey - the 32 bytes for the head's (area, label, epoch); the caller zeroes them.
 * @returns `E_CONTAINER_KEY`: wrong key or changed head, which nobody can tell apart. The other
 *   slot is never tried: an attacker could break this one to bring back older labels.
 */
export function openSecret(
  head: UnverifiedHead,
  labelKey: Uint8Array,
  crypto: ContainerCrypto,
): Result<OpenedHead, AppError<'E_CONTAINER_KEY'>> {
  const slot = slotBytes(head.bytes, head.slotInForce);
  const headerKey = deriveHeaderKey(labelKey, head.fields.fileId, crypto);
  const plain = crypto.aes256GcmOpen(
    headerKey,
    slot.subarray(SLOT_FIELD.secretNonce, SLOT_FIELD.secret),
    associatedData(head.bytes, slot),
    {
      ciphertext: slot.subarray(SLOT_FIELD.secret, SLOT_FIELD.secretTag),
      tag: slot.subarray(SLOT_FIELD.secretTag, SLOT_FIELD.reserved),
    },
  );
  wipe(headerKey);
  if (plain === null) return fail('E_CONTAINER_KEY', 'the head does not authenticate');
  const secret = {
    fileKey: copyBytes(plain, 0, KEY_BYTES),
    accumulator: copyBytes(plain, KEY_BYTES, KEY_BYTES + DIGEST_BYTES),
  };
  wipe(plain);
  return succeed({ head: head as VerifiedHead, secret });
}

/** A fresh file key with a zero accumulator. */
export function newSecret(crypto: ContainerCrypto): HeadSecret {
  return { fileKey: crypto.randomBytes(KEY_BYTES), accumulator: new Uint8Array(DIGEST_BYTES) };
}

export function wipeSecret(secret: HeadSecret): void {
  wipe(secret.fileKey, secret.accumulator);
}

/** What the maker of a file chooses; the rest follows from the specification. */
export type NewFileFields = Omit<
  SlotFields,
  'minorVersion' | 'suite' | 'state' | 'generation' | 'plainSize'
>;

/**
 * The head of a new file: slot A with generation 1 and state `open`, slot B all zero.
 *
 * @throws RangeError when a field or the text is out of the format's range (caller bug).
 */
export function newHead(
  fields: NewFileFields,
  secret: HeadSecret,
  labelKey: Uint8Array,
  crypto: ContainerCrypto,
  preambleText?: string,
): VerifiedHead {
  const bytes = new Uint8Array(HEAD_BYTES);
  bytes.set(buildPreamble(preambleText), 0);
  const first: SlotFields = {
    ...fields,
    minorVersion: 0,
    suite: 1,
    state: 'open',
    generation: 1n,
    plainSize: 0,
  };
  bytes.set(sealSlot(bytes, first, secret, labelKey, crypto), SLOT_OFFSETS.A);
  const head: UnverifiedHead = { fields: first, slotInForce: 'A', slotDamaged: false, bytes };
  return head as VerifiedHead;
}

/** What a rewrite may change. Flags and extensions start from the head's, so unknown ones stay. */
export type SlotChange = Partial<
  Pick<
    SlotFields,
    'state' | 'plainSize' | 'label' | 'area' | 'epoch' | 'flags' | 'extensions' | 'parentFileId'
  >
>;

/**
 * Builds the slot that is not in force, with generation + 1 and `change` applied.
 *
 * State `open` writes plain size and accumulator as zero. Closing, relabelling and re-keying are
 * all this one write; the frames stay as they are.
 *
 * @param labelKey - the key of the *new* (area, label, epoch).
 * @returns `E_CONTAINER_HEADER` when the file has had 2^32 slots (a new file is needed then).
 * @throws RangeError when a field is out of the format's range (caller bug).
 */
export function nextSlot(
  head: VerifiedHead,
  change: SlotChange,
  secret: HeadSecret,
  labelKey: Uint8Array,
  crypto: ContainerCrypto,
): Result<SlotWrite, AppError<'E_CONTAINER_HEADER'>> {
  const generation = head.fields.generation + 1n;
  if (generation > BigInt(MAX_WRITES_PER_KEY)) {
    return fail('E_CONTAINER_HEADER', 'the head has been written 2^32 times');
  }
  const merged = { ...head.fields, ...change };
  const plainSize = merged.state === 'open' ? 0 : merged.plainSize;
  const fields: SlotFields = { ...merged, minorVersion: 0, generation, plainSize };
  const slot = otherSlot(head.slotInForce);
  const bytes = copyBytes(head.bytes);
  const written = sealSlot(bytes, fields, secret, labelKey, crypto);
  bytes.set(written, SLOT_OFFSETS[slot]);
  const next: UnverifiedHead = { fields, slotInForce: slot, slotDamaged: false, bytes };
  return succeed({ diskOffset: SLOT_OFFSETS[slot], bytes: written, head: next as VerifiedHead });
}

function sealSlot(
  head: Uint8Array,
  fields: SlotFields,
  secret: HeadSecret,
  labelKey: Uint8Array,
  crypto: ContainerCrypto,
): Uint8Array {
  const slot = encodeSlotFields(fields);
  const accumulator = fields.state === 'open' ? new Uint8Array(DIGEST_BYTES) : secret.accumulator;
  const headerKey = deriveHeaderKey(labelKey, fields.fileId, crypto);
  const nonce = crypto.randomBytes(NONCE_BYTES);
  const plain = concatBytes(secret.fileKey, accumulator);
  const sealed = crypto.aes256GcmSeal(headerKey, nonce, associatedData(head, slot), plain);
  wipe(headerKey, plain);
  slot.set(nonce, SLOT_FIELD.secretNonce);
  slot.set(sealed.ciphertext, SLOT_FIELD.secret);
  slot.set(sealed.tag, SLOT_FIELD.secretTag);
  slot.set(slotChecksum(slot, crypto), SLOT_FIELD.checksum);
  return slot;
}

function associatedData(head: Uint8Array, slot: Uint8Array): Uint8Array {
  return concatBytes(
    head.subarray(0, PREAMBLE_BYTES),
    slot.subarray(0, SLOT_FIELD.secretNonce),
    slot.subarray(SLOT_FIELD.reserved, SLOT_FIELD.checksum),
    reservedBytes(head),
  );
}
