/**
 * One slot of the head: what it says in clear, and its 1536 bytes.
 *
 * Layer: core. Spec: docs/spec/container-v1.md, sections 3 and 7 (step 3).
 * Everything read here is a claim until the head has been authenticated (`head-secret.ts`).
 * Not here: which slot is in force (`head.ts`), encryption of the secret.
 */
import { fail, succeed, type AppError, type Result } from '../errors/result.js';
import { copyBytes, decodeUtf8, encodeUtf8, equalBytes, isAllZero, viewOf } from './bytes.js';
import type { ContainerCrypto } from './crypto.js';
import { buildExtensions, parseExtensions, type Extension } from './extensions.js';
import {
  ID_BYTES,
  MAJOR_VERSION,
  MAX_AREA_BYTES,
  MAX_CHUNK_SIZE_LOG2,
  MAX_EXTENSION_BYTES,
  MAX_LABEL_BYTES,
  MIN_CHUNK_SIZE_LOG2,
  SLOT_BYTES,
  SLOT_FIELD,
  SLOT_MAGIC,
  STATE_OPEN,
  STATE_SEALED,
  SUITE_AES_256_GCM,
} from './format.js';

/** `sealed`: closed cleanly. `open`: being written, or was when the writer died. */
export type FileState = 'sealed' | 'open';

/** The clear fields of a slot. */
export interface SlotFields {
  readonly minorVersion: number;
  readonly suite: number;
  readonly chunkSizeLog2: number;
  readonly state: FileState;
  readonly flags: number;
  readonly generation: bigint;
  /** Length of the document in bytes; zero and without meaning when `state` is `open`. */
  readonly plainSize: number;
  readonly fileId: Uint8Array;
  /** All zero when there is none. */
  readonly parentFileId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly createdMs: bigint;
  readonly epoch: number;
  readonly label: string;
  readonly area: string;
  readonly extensions: readonly Extension[];
}

export type SlotError = AppError<
  'E_CONTAINER_HEADER' | 'E_CONTAINER_VERSION' | 'E_CONTAINER_SUITE'
>;

const CHECKSUM_BYTES = 8;

/** The checksum that a slot with these bytes must carry. It is no security measure. */
export function slotChecksum(slot: Uint8Array, crypto: ContainerCrypto): Uint8Array {
  return crypto.sha256(slot.subarray(0, SLOT_FIELD.checksum)).subarray(0, CHECKSUM_BYTES);
}

/** True when the slot was written to its last byte. */
export function isCompleteSlot(slot: Uint8Array, crypto: ContainerCrypto): boolean {
  return (
    equalBytes(slot.subarray(0, SLOT_MAGIC.length), encodeUtf8(SLOT_MAGIC)) &&
    equalBytes(slot.subarray(SLOT_FIELD.checksum), slotChecksum(slot, crypto))
  );
}

/** The generation a slot claims; meaningful for a complete slot only. */
export function slotGeneration(slot: Uint8Array): bigint {
  return viewOf(slot).getBigUint64(SLOT_FIELD.generation, true);
}

/**
 * Reads the clear fields of a complete slot.
 *
 * @returns `E_CONTAINER_VERSION`, `E_CONTAINER_SUITE`, or `E_CONTAINER_HEADER` naming the field.
 */
export function decodeSlot(slot: Uint8Array): Result<SlotFields, SlotError> {
  const view = viewOf(slot);
  const majorVersion = view.getUint16(SLOT_FIELD.majorVersion, true);
  if (majorVersion !== MAJOR_VERSION) {
    return fail('E_CONTAINER_VERSION', `major version ${String(majorVersion)}`);
  }
  const suite = view.getUint16(SLOT_FIELD.suite, true);
  if (suite !== SUITE_AES_256_GCM) return fail('E_CONTAINER_SUITE', `suite ${String(suite)}`);
  const numbers = decodeNumbers(view);
  if (!numbers.ok) return numbers;
  const label = decodeName(slot, SLOT_FIELD.labelLength, SLOT_FIELD.label, MAX_LABEL_BYTES);
  if (!label.ok) return label;
  const area = decodeName(slot, SLOT_FIELD.areaLength, SLOT_FIELD.area, MAX_AREA_BYTES);
  if (!area.ok) return area;
  const extensions = decodeExtensionField(slot);
  if (!extensions.ok) return extensions;
  return succeed({
    ...numbers.value,
    suite,
    fileId: copyBytes(slot, SLOT_FIELD.fileId, SLOT_FIELD.fileId + ID_BYTES),
    parentFileId: copyBytes(slot, SLOT_FIELD.parentFileId, SLOT_FIELD.parentFileId + ID_BYTES),
    deviceId: copyBytes(slot, SLOT_FIELD.deviceId, SLOT_FIELD.deviceId + ID_BYTES),
    label: label.value,
    area: area.value,
    extensions: extensions.value,
  });
}

type SlotNumbers = Pick<
  SlotFields,
  | 'minorVersion'
  | 'chunkSizeLog2'
  | 'state'
  | 'flags'
  | 'generation'
  | 'plainSize'
  | 'createdMs'
  | 'epoch'
>;

function decodeNumbers(view: DataView): Result<SlotNumbers, AppError<'E_CONTAINER_HEADER'>> {
  const chunkSizeLog2 = view.getUint8(SLOT_FIELD.chunkSizeLog2);
  if (chunkSizeLog2 < MIN_CHUNK_SIZE_LOG2 || chunkSizeLog2 > MAX_CHUNK_SIZE_LOG2) {
    return fail('E_CONTAINER_HEADER', `chunkSizeLog2 is ${String(chunkSizeLog2)}`);
  }
  const state = view.getUint8(SLOT_FIELD.state);
  if (state !== STATE_SEALED && state !== STATE_OPEN) {
    return fail('E_CONTAINER_HEADER', `state is ${String(state)}`);
  }
  const plainSize = view.getBigUint64(SLOT_FIELD.plainSize, true);
  if (plainSize > BigInt(Number.MAX_SAFE_INTEGER)) {
    return fail('E_CONTAINER_HEADER', `plainSize is ${String(plainSize)}`);
  }
  const generation = view.getBigUint64(SLOT_FIELD.generation, true);
  if (generation === 0n) return fail('E_CONTAINER_HEADER', 'generation is 0');
  const epoch = view.getUint32(SLOT_FIELD.epoch, true);
  if (epoch === 0) return fail('E_CONTAINER_HEADER', 'epoch is 0');
  return succeed({
    minorVersion: view.getUint16(SLOT_FIELD.minorVersion, true),
    chunkSizeLog2,
    state: state === STATE_SEALED ? 'sealed' : 'open',
    flags: view.getUint32(SLOT_FIELD.flags, true),
    generation,
    plainSize: Number(plainSize),
    createdMs: view.getBigUint64(SLOT_FIELD.createdMs, true),
    epoch,
  });
}

function decodeName(
  slot: Uint8Array,
  lengthAt: number,
  at: number,
  room: number,
): Result<string, AppError<'E_CONTAINER_HEADER'>> {
  const field = lengthAt === SLOT_FIELD.labelLength ? 'label' : 'area';
  const length = slot[lengthAt] ?? 0;
  if (length < 1 || length > room) {
    return fail('E_CONTAINER_HEADER', `${field} has ${String(length)} bytes`);
  }
  if (!isAllZero(slot.subarray(at + length, at + room))) {
    return fail('E_CONTAINER_HEADER', `${field} is not zero-padded`);
  }
  const name = decodeUtf8(slot.subarray(at, at + length));
  if (name === null || hasControlCharacter(name)) {
    return fail('E_CONTAINER_HEADER', `${field} is not text`);
  }
  return succeed(name);
}

function decodeExtensionField(
  slot: Uint8Array,
): Result<readonly Extension[], AppError<'E_CONTAINER_HEADER'>> {
  const length = viewOf(slot).getUint16(SLOT_FIELD.extensionLength, true);
  if (length > MAX_EXTENSION_BYTES) {
    return fail('E_CONTAINER_HEADER', `extensions have ${String(length)} bytes`);
  }
  const end = SLOT_FIELD.extensions + length;
  if (!isAllZero(slot.subarray(end, SLOT_FIELD.extensions + MAX_EXTENSION_BYTES))) {
    return fail('E_CONTAINER_HEADER', 'extensions are not zero-padded');
  }
  return parseExtensions(slot.subarray(SLOT_FIELD.extensions, end));
}

/**
 * The 1536 bytes of a slot, with zero where nonce, secret, tag and checksum come
 * (`head-secret.ts` fills them in).
 *
 * @throws RangeError naming the field when one is out of range. That is a caller bug.
 */
export function encodeSlotFields(fields: SlotFields): Uint8Array {
  requireRanges(fields);
  const slot = new Uint8Array(SLOT_BYTES);
  const view = viewOf(slot);
  const extensions = buildExtensions(fields.extensions);
  const label = encodeUtf8(fields.label);
  const area = encodeUtf8(fields.area);
  slot.set(encodeUtf8(SLOT_MAGIC), 0);
  view.setUint16(SLOT_FIELD.majorVersion, MAJOR_VERSION, true);
  view.setUint16(SLOT_FIELD.minorVersion, fields.minorVersion, true);
  view.setUint16(SLOT_FIELD.suite, fields.suite, true);
  view.setUint8(SLOT_FIELD.chunkSizeLog2, fields.chunkSizeLog2);
  view.setUint8(SLOT_FIELD.state, fields.state === 'sealed' ? STATE_SEALED : STATE_OPEN);
  view.setUint32(SLOT_FIELD.flags, fields.flags, true);
  view.setBigUint64(SLOT_FIELD.generation, fields.generation, true);
  view.setBigUint64(SLOT_FIELD.plainSize, BigInt(fields.plainSize), true);
  slot.set(fields.fileId, SLOT_FIELD.fileId);
  slot.set(fields.parentFileId, SLOT_FIELD.parentFileId);
  slot.set(fields.deviceId, SLOT_FIELD.deviceId);
  view.setBigUint64(SLOT_FIELD.createdMs, fields.createdMs, true);
  view.setUint32(SLOT_FIELD.epoch, fields.epoch, true);
  view.setUint8(SLOT_FIELD.labelLength, label.length);
  view.setUint8(SLOT_FIELD.areaLength, area.length);
  view.setUint16(SLOT_FIELD.extensionLength, extensions.length, true);
  slot.set(label, SLOT_FIELD.label);
  slot.set(area, SLOT_FIELD.area);
  slot.set(extensions, SLOT_FIELD.extensions);
  return slot;
}

/** True when `name` may be a label: 1 to 64 bytes of UTF-8 without control characters. */
export function isLabelName(name: string): boolean {
  return isName(name, MAX_LABEL_BYTES);
}

/** True when `name` may be an area: 1 to 96 bytes of UTF-8 without control characters. */
export function isAreaName(name: string): boolean {
  return isName(name, MAX_AREA_BYTES);
}

function isName(name: string, room: number): boolean {
  const encoded = encodeUtf8(name);
  // A lone surrogate is no text: it would be stored as another character.
  const exact = decodeUtf8(encoded) === name;
  return exact && encoded.length >= 1 && encoded.length <= room && !hasControlCharacter(name);
}

function hasControlCharacter(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

function requireRanges(fields: SlotFields): void {
  const log2 = fields.chunkSizeLog2;
  const checks: Readonly<Record<string, boolean>> = {
    label: isLabelName(fields.label),
    area: isAreaName(fields.area),
    suite: fields.suite === SUITE_AES_256_GCM,
    chunkSizeLog2: log2 >= MIN_CHUNK_SIZE_LOG2 && log2 <= MAX_CHUNK_SIZE_LOG2,
    plainSize: Number.isSafeInteger(fields.plainSize) && fields.plainSize >= 0,
    generation: fields.generation >= 1n,
    epoch: Number.isInteger(fields.epoch) && fields.epoch >= 1 && fields.epoch < 2 ** 32,
    fileId: fields.fileId.length === ID_BYTES,
    parentFileId: fields.parentFileId.length === ID_BYTES,
    deviceId: fields.deviceId.length === ID_BYTES,
  };
  for (const [field, good] of Object.entries(checks)) {
    if (!good) throw new RangeError(`${field} is out of the format's range`);
  }
}
