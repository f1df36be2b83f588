/**
 * Seals a stream of plaintext into a file.
 *
 * Layer: platform. Spec: docs/spec/container-v1.md, sections 3 to 6.
 * Order of writes: head with slot A (`open`), frames, [fsync,] slot B (`sealed`) [, fsync]. A cut
 *   before the last leaves a file that says `open`. The fsyncs in brackets are the caller's choice:
 *   a file that nobody sees before it is renamed into place needs only the one before the rename.
 * Memory: two batches of about 1 MiB, whatever the size of the document. No plaintext is written.
 * Not here: names, temp files, renames (src/agent/folders).
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { toggleTag } from '../../core/container/accumulator.js';
import { isAllZero, toHex } from '../../core/container/bytes.js';
import type { Extension } from '../../core/container/extensions.js';
import { deriveFrameKeys, wipeFrameKeys, type FrameKeys } from '../../core/container/file-keys.js';
import {
  DEFAULT_CHUNK_SIZE_LOG2,
  FRAME_OVERHEAD_BYTES,
  ID_BYTES,
  MAX_WRITES_PER_KEY,
  NONCE_BYTES,
} from '../../core/container/format.js';
import { frameTag, sealFrameInto } from '../../core/container/frame.js';
import { chunkSize, diskSizeOf, frameOffset } from '../../core/container/geometry.js';
import {
  newHead,
  newSecret,
  nextSlot,
  wipeSecret,
  type HeadSecret,
  type VerifiedHead,
} from '../../core/container/head-secret.js';
import { fail, succeed, type Result } from '../../core/errors/result.js';
import { failFromThrown } from '../errno.js';
import { withLabelKey, type KeyLookup, type KeyName } from './key-lookup.js';
import { nodeContainerCrypto as crypto } from './node-crypto.js';
import { writeAt } from './positioned-io.js';

export interface SealOptions extends KeyName {
  /** 16 bytes: the device that makes the file. */
  readonly deviceId: Uint8Array;
  /** 12 to 20; default 14, which is 16 KiB. */
  readonly chunkSizeLog2?: number;
  readonly flags?: number;
  /** 16 bytes: the file this one was made from or replaces. */
  readonly parentFileId?: Uint8Array;
  readonly extensions?: readonly Extension[];
  readonly createdMs?: number;
  readonly preambleText?: string;
  /**
   * What becomes of chunks that hold only zero bytes. `hole` keeps a sparse file sparse and shows
   * everybody which chunks those are; `seal` (the default) shows nothing.
   */
  readonly zeroChunks?: 'seal' | 'hole';
  /**
   * `ordered` (the default) makes frames durable before the slot that vouches for them, and that
   * slot before returning. `none` leaves all fsyncs to the caller.
   */
  readonly durability?: 'ordered' | 'none';
}

/** What was sealed. Ids and digests are lower-case hexadecimal. */
export interface SealedSummary {
  readonly fileId: string;
  readonly plainSize: number;
  readonly diskSize: number;
  readonly plainSha256: string;
}

const BATCH_BYTES = 2 ** 20;

/**
 * Seals everything that `source` yields into `out`, from offset 0 on; `out` must be empty.
 *
 * @returns `E_CONTAINER_KEY` when there is no key, `E_FILE_TOO_LARGE` beyond 2^32 chunks, or the
 *   failure of the file system (`E_DISK_FULL`, …), be it in `out` or in `source`. After a failure
 *   `out` holds an unfinished sealed file.
 * @throws what `source` throws that is no system error, and RangeError for options outside the
 *   format's range.
 */
export async function sealStream(
  source: AsyncIterable<Uint8Array>,
  out: FileHandle,
  options: SealOptions,
  keyLookup: KeyLookup,
): Promise<Result<SealedSummary>> {
  const started = await startFile(options, keyLookup);
  if (!started.ok) return started;
  const sealer = new FrameSealer(out, started.value, options);
  try {
    await writeAt(out, started.value.head.bytes, 0);
    const frames = await sealFrames(source, sealer);
    if (!frames.ok) return frames;
    return await finishFile(out, sealer, options, keyLookup);
  } catch (thrown) {
    return failFromThrown(thrown, 'seal');
  } finally {
    sealer.wipe();
    wipeSecret(started.value.secret);
  }
}

interface StartedFile {
  readonly head: VerifiedHead;
  readonly secret: HeadSecret;
}

async function startFile(options: SealOptions, lookup: KeyLookup): Promise<Result<StartedFile>> {
  const secret = newSecret(crypto);
  return withLabelKey(lookup, nameOf(options), (labelKey) => {
    const head = newHead(
      {
        chunkSizeLog2: options.chunkSizeLog2 ?? DEFAULT_CHUNK_SIZE_LOG2,
        flags: options.flags ?? 0,
        fileId: crypto.randomBytes(ID_BYTES),
        parentFileId: options.parentFileId ?? new Uint8Array(ID_BYTES),
        deviceId: options.deviceId,
        createdMs: BigInt(options.createdMs ?? Date.now()),
        epoch: options.epoch,
        label: options.label,
        area: options.area,
        extensions: options.extensions ?? [],
      },
      secret,
      labelKey,
      crypto,
      options.preambleText,
    );
    return succeed({ head, secret });
  });
}

function nameOf({ area, label, epoch }: SealOptions): KeyName {
  return { area, label, epoch };
}

async function sealFrames(
  source: AsyncIterable<Uint8Array>,
  sealer: FrameSealer,
): Promise<Result<null>> {
  for await (const piece of source) {
    await sealer.add(piece);
    if (sealer.frames > MAX_WRITES_PER_KEY) {
      return fail('E_FILE_TOO_LARGE', 'a sealed file has at most 2^32 chunks');
    }
  }
  await sealer.flush();
  return succeed(null);
}

async function finishFile(
  out: FileHandle,
  sealer: FrameSealer,
  options: SealOptions,
  lookup: KeyLookup,
): Promise<Result<SealedSummary>> {
  const { head, secret } = sealer.file;
  const plainSize = sealer.plainSize;
  const diskSize = diskSizeOf(head.fields.chunkSizeLog2, plainSize);
  // A hole at the end was not written; the size on disk must count it all the same.
  await out.truncate(diskSize);
  const ordered = (options.durability ?? 'ordered') === 'ordered';
  if (ordered) await out.sync();
  const write = await withLabelKey(lookup, nameOf(options), (labelKey) =>
    nextSlot(head, { state: 'sealed', plainSize }, secret, labelKey, crypto),
  );
  if (!write.ok) return write;
  await writeAt(out, write.value.bytes, write.value.diskOffset);
  if (ordered) await out.sync();
  const fileId = toHex(head.fields.fileId);
  return succeed({ fileId, plainSize, diskSize, plainSha256: sealer.plainSha256() });
}

/** Collects plaintext into batches of whole chunks and writes their frames. */
class FrameSealer {
  plainSize = 0;
  frames = 0;
  readonly file: StartedFile;
  private readonly out: FileHandle;
  private readonly keys: FrameKeys;
  private readonly log2: number;
  private readonly makeHoles: boolean;
  private readonly plain: Uint8Array;
  private readonly disk: Uint8Array;
  private readonly hash = createHash('sha256');
  private filled = 0;

  constructor(out: FileHandle, file: StartedFile, options: SealOptions) {
    this.out = out;
    this.file = file;
    this.log2 = file.head.fields.chunkSizeLog2;
    this.makeHoles = options.zeroChunks === 'hole';
    this.keys = deriveFrameKeys(file.secret.fileKey, file.head.fields.fileId, crypto);
    this.plain = new Uint8Array(BATCH_BYTES);
    const framesInBatch = BATCH_BYTES / chunkSize(this.log2);
    this.disk = new Uint8Array(BATCH_BYTES + framesInBatch * FRAME_OVERHEAD_BYTES);
  }

  async add(piece: Uint8Array): Promise<void> {
    this.hash.update(piece);
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + this.plain.length - this.filled);
      this.plain.set(part, this.filled);
      this.filled += part.length;
      at += part.length;
      if (this.filled === this.plain.length) await this.flush();
    }
  }

  /** Writes what has been collected. After a flush of less than a batch nothing may follow. */
  async flush(): Promise<void> {
    const start = this.frames;
    const nonces = crypto.randomBytes(NONCE_BYTES * Math.ceil(this.filled / chunkSize(this.log2)));
    let holes = 0;
    let end = 0;
    for (let at = 0; at < this.filled; at += chunkSize(this.log2)) {
      const chunk = this.plain.subarray(at, Math.min(at + chunkSize(this.log2), this.filled));
      const frame = this.disk.subarray(end, end + chunk.length + FRAME_OVERHEAD_BYTES);
      const nonceAt = (this.frames - start) * NONCE_BYTES;
      holes += this.writeFrame(frame, chunk, nonces.subarray(nonceAt, nonceAt + NONCE_BYTES));
      end += frame.length;
    }
    // A batch of holes alone is left out of the file, and so takes no room on disk.
    if (holes < this.frames - start) {
      await writeAt(this.out, this.disk.subarray(0, end), frameOffset(this.log2, start));
    }
    this.plainSize += this.filled;
    this.plain.fill(0);
    this.filled = 0;
  }

  private writeFrame(frame: Uint8Array, chunk: Uint8Array, nonce: Uint8Array): 0 | 1 {
    const index = this.frames++;
    if (this.makeHoles && isAllZero(chunk)) {
      frame.fill(0);
      return 1;
    }
    sealFrameInto(frame, index, chunk, nonce, this.keys, crypto);
    toggleTag(this.file.secret.accumulator, index, frameTag(frame), this.keys, crypto);
    return 0;
  }

  plainSha256(): string {
    return this.hash.digest('hex');
  }

  wipe(): void {
    wipeFrameKeys(this.keys);
    this.plain.fill(0);
  }
}
