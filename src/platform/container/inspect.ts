/**
 * What a sealed file says about itself to somebody without any key.
 *
 * Layer: platform. Spec: docs/spec/container-v1.md, section 7 (steps 1 to 4).
 * Everything here is a claim: whoever can write the file could have written it. `openSealed`
 * returns the same shape with `authenticated` true.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { isAllZero, toHex } from '../../core/container/bytes.js';
import { FLAG_PERSONAL, FLAG_SENSITIVE_PERSONAL, HEAD_BYTES } from '../../core/container/format.js';
import { chunkSize, plainSizeOf } from '../../core/container/geometry.js';
import { parseHead, type UnverifiedHead } from '../../core/container/head.js';
import { originNameOf } from '../../core/container/origin-name.js';
import { succeed, type Result } from '../../core/errors/result.js';
import { failFromThrown } from '../errno.js';
import type { KeyName } from './key-lookup.js';
import { nodeContainerCrypto } from './node-crypto.js';
import { readAt } from './positioned-io.js';

/**
 * Something to be recorded that did not keep the file from opening. `slot-damaged`: the slot not
 * in force is damaged. `unclean`: the file was being written when its writer ended.
 */
export type ContainerFinding = 'slot-damaged' | 'unclean';

/** A sealed file's description. Ids are lower-case hexadecimal. */
export interface SealedFileInfo {
  /** False: nothing of this has been checked with a key. */
  readonly authenticated: boolean;
  readonly label: string;
  readonly area: string;
  readonly key: KeyName;
  readonly fileId: string;
  readonly parentFileId: string | null;
  readonly deviceId: string;
  /** Milliseconds since 1970; inexact beyond 2^53. */
  readonly createdMs: number;
  readonly state: 'sealed' | 'open';
  /** The document's length; `null` when the size on disk is impossible. */
  readonly plainSize: number | null;
  readonly diskSize: number;
  /** The size on disk is the one that the head asks for. */
  readonly sizeFits: boolean;
  readonly chunkSize: number;
  readonly generation: number;
  readonly personal: boolean;
  readonly sensitivePersonal: boolean;
  readonly originName: string | null;
  readonly findings: readonly ContainerFinding[];
}

/**
 * Reads a sealed file's claims.
 *
 * @param file - a path, or an open file that stays open.
 * @returns `E_CONTAINER_MAGIC` for a file that is not sealed, the other refusals of steps 1 to 3,
 *   or the file system's failure.
 */
export async function inspectSealedFile(
  file: string | Buffer | FileHandle,
): Promise<Result<SealedFileInfo>> {
  try {
    return await withHandle(file, async (handle) => {
      const head = await readHead(handle);
      if (!head.ok) return head;
      const { size } = await handle.stat();
      return succeed(describeHead(head.value, size, false));
    });
  } catch (thrown) {
    return failFromThrown(thrown, 'read the head');
  }
}

/** Reads and parses the head of an open file. Rejects with the system error. */
export async function readHead(handle: FileHandle): Promise<Result<UnverifiedHead>> {
  const start = new Uint8Array(HEAD_BYTES);
  const length = await readAt(handle, start, 0);
  return parseHead(start.subarray(0, length), nodeContainerCrypto);
}

/** The description of a parsed head. @param diskSize - the file's size in bytes. */
export function describeHead(
  head: UnverifiedHead,
  diskSize: number,
  authenticated: boolean,
): SealedFileInfo {
  const { fields } = head;
  const fromDisk = plainSizeOf(fields.chunkSizeLog2, diskSize);
  const sealed = fields.state === 'sealed';
  return {
    authenticated,
    label: fields.label,
    area: fields.area,
    key: { area: fields.area, label: fields.label, epoch: fields.epoch },
    fileId: toHex(fields.fileId),
    parentFileId: isAllZero(fields.parentFileId) ? null : toHex(fields.parentFileId),
    deviceId: toHex(fields.deviceId),
    createdMs: Number(fields.createdMs),
    state: fields.state,
    plainSize: sealed ? fields.plainSize : fromDisk.ok ? fromDisk.value : null,
    diskSize,
    sizeFits: fromDisk.ok && (!sealed || fromDisk.value === fields.plainSize),
    chunkSize: chunkSize(fields.chunkSizeLog2),
    generation: Number(fields.generation),
    personal: (fields.flags & FLAG_PERSONAL) !== 0,
    sensitivePersonal: (fields.flags & FLAG_SENSITIVE_PERSONAL) !== 0,
    originName: originNameOf(fields.extensions),
    findings: findingsOf(head),
  };
}

function findingsOf(head: UnverifiedHead): readonly ContainerFinding[] {
  const findings: ContainerFinding[] = [];
  if (head.slotDamaged) findings.push('slot-damaged');
  if (head.fields.state === 'open') findings.push('unclean');
  return findings;
}

/** Runs `use` with an open file; closes it only when it was opened here. */
export async function withHandle<T>(
  file: string | Buffer | FileHandle,
  use: (handle: FileHandle) => Promise<T>,
): Promise<T> {
  if (typeof file !== 'string' && !Buffer.isBuffer(file)) return use(file);
  const handle = await open(file, 'r');
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}
