/**
 * The first 4096 bytes of a sealed file, read without any key.
 *
 * Layer: core. Bytes in, claims out; no I/O, no keys.
 * Spec: docs/spec/container-v1.md, sections 3 ("Which slot is in force") and 7 (steps 1 to 4).
 * Not here: authentication of the head (`head-secret.ts`). What this file returns may be shown to
 *   people as claims and must not decide anything.
 */
import { fail, succeed, type AppError, type Result } from '../errors/result.js';
import { copyBytes, isAllZero } from './bytes.js';
import type { ContainerCrypto } from './crypto.js';
import { HEAD_BYTES, RESERVED_OFFSET, SLOT_BYTES, SLOT_OFFSETS, type SlotName } from './format.js';
import { hasMagic } from './preamble.js';
import { decodeSlot, isCompleteSlot, slotGeneration, type SlotFields } from './slot.js';

/** A head as its bytes claim it. Parsed, so it has a shape; not yet believed. */
export interface UnverifiedHead {
  readonly fields: SlotFields;
  readonly slotInForce: SlotName;
  /** The other slot is neither complete nor all zero: somebody's write was cut, or damaged it. */
  readonly slotDamaged: boolean;
  /** The 4096 bytes, which authentication covers. A copy of its own. */
  readonly bytes: Uint8Array;
}

export type HeadError = AppError<
  | 'E_CONTAINER_SHORT'
  | 'E_CONTAINER_MAGIC'
  | 'E_CONTAINER_HEADER'
  | 'E_CONTAINER_VERSION'
  | 'E_CONTAINER_SUITE'
>;

/**
 * Reads the head.
 *
 * @param start - the file's first bytes: 4096, or all that there are. More are ignored.
 * @returns `E_CONTAINER_MAGIC` when the file is not sealed (also below 8 bytes),
 *   `E_CONTAINER_SHORT`, `E_CONTAINER_HEADER`, `E_CONTAINER_VERSION` or `E_CONTAINER_SUITE`.
 */
export function parseHead(
  start: Uint8Array,
  crypto: ContainerCrypto,
): Result<UnverifiedHead, HeadError> {
  if (!hasMagic(start)) return fail('E_CONTAINER_MAGIC', 'the magic is not there');
  if (start.length < HEAD_BYTES) {
    return fail('E_CONTAINER_SHORT', `the head has ${String(start.length)} bytes`);
  }
  const bytes = copyBytes(start, 0, HEAD_BYTES);
  const slotInForce = chooseSlot(bytes, crypto);
  if (slotInForce === null) return fail('E_CONTAINER_HEADER', 'no slot is complete');
  const fields = decodeSlot(slotBytes(bytes, slotInForce));
  if (!fields.ok) return fields;
  const other = slotBytes(bytes, otherSlot(slotInForce));
  const slotDamaged = !isCompleteSlot(other, crypto) && !isAllZero(other);
  return succeed({ fields: fields.value, slotInForce, slotDamaged, bytes });
}

/** The complete slot with the higher generation; A where both claim the same. */
function chooseSlot(head: Uint8Array, crypto: ContainerCrypto): SlotName | null {
  const a = slotBytes(head, 'A');
  const b = slotBytes(head, 'B');
  if (!isCompleteSlot(a, crypto)) return isCompleteSlot(b, crypto) ? 'B' : null;
  if (!isCompleteSlot(b, crypto)) return 'A';
  return slotGeneration(b) > slotGeneration(a) ? 'B' : 'A';
}

export function slotBytes(head: Uint8Array, slot: SlotName): Uint8Array {
  return head.subarray(SLOT_OFFSETS[slot], SLOT_OFFSETS[slot] + SLOT_BYTES);
}

export function reservedBytes(head: Uint8Array): Uint8Array {
  return head.subarray(RESERVED_OFFSET, HEAD_BYTES);
}

export function otherSlot(slot: SlotName): SlotName {
  return slot === 'A' ? 'B' : 'A';
}
