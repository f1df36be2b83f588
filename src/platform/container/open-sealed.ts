/**
 * Opens a sealed file and streams its document.
 *
 * Layer: platform. Spec: docs/spec/container-v1.md, sections 5, 6 and 7.
 * A cleanly closed file is read twice: first all tags, against the whole-file seal, then the
 *   frames. No byte of plaintext leaves before the first pass has succeeded. The second pass
 *   keeps the same sum, so a frame that is exchanged between the two ends the stream in an error.
 * Memory: one batch of about 1 MiB.
 */
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { toggleTag } from '../../core/container/accumulator.js';
import { equalSecret } from '../../core/container/bytes.js';
import { deriveFrameKeys, wipeFrameKeys, type FrameKeys } from '../../core/container/file-keys.js';
import { DIGEST_BYTES } from '../../core/container/format.js';
import { frameKind, frameTag, openFrame } from '../../core/container/frame.js';
import { plainSizeOf } from '../../core/container/geometry.js';
import { openSecret, wipeSecret, type OpenedHead } from '../../core/container/head-secret.js';
import { fail, succeed, type AppError, type Result } from '../../core/errors/result.js';
import { failFromThrown } from '../errno.js';
import { readFrames } from './frame-reader.js';
import { describeHead, readHead, type ContainerFinding, type SealedFileInfo } from './inspect.js';
import { withLabelKey, type KeyLookup } from './key-lookup.js';
import { nodeContainerCrypto as crypto } from './node-crypto.js';

/** An opened sealed file. Call `close` in any case: it zeroes the keys. */
export interface OpenedSealedFile {
  /** As `inspectSealedFile`, but authenticated. */
  readonly info: SealedFileInfo;
  readonly findings: readonly ContainerFinding[];
  readonly plainSize: number;
  /**
   * The document, chunk by chunk. A failure (`E_CONTAINER_CHUNK`, `E_CONTAINER_SEAL`,
   * `E_CONTAINER_TRUNCATED`, or the file system's) is the last thing that comes; what came before
   * is authentic, but the document is not whole.
   */
  chunks(): AsyncIterable<Result<Uint8Array>>;
  close(): Promise<void>;
}

/**
 * Opens a sealed file and checks everything that can be checked before the first byte.
 *
 * @param file - a path, or an open file, which is borrowed: `close` leaves it open.
 * @returns any refusal of section 8, or the file system's failure.
 */
export async function openSealed(
  file: string | Buffer | FileHandle,
  keyLookup: KeyLookup,
): Promise<Result<OpenedSealedFile>> {
  const borrowed = typeof file !== 'string' && !Buffer.isBuffer(file);
  try {
    const handle = borrowed ? file : await open(file, 'r');
    const opened = await openHandle(handle, keyLookup, borrowed).catch(async (thrown: unknown) => {
      if (!borrowed) await handle.close();
      throw thrown;
    });
    if (!opened.ok && !borrowed) await handle.close();
    return opened;
  } catch (thrown) {
    return failFromThrown(thrown, 'open a sealed file');
  }
}

/** A file that was read to its end and found whole. */
export interface VerifiedContents {
  readonly info: SealedFileInfo;
  readonly findings: readonly ContainerFinding[];
  readonly plainSize: number;
  readonly plainSha256: string;
}

/** Reads a sealed file to its end without giving anything out. Failures as `openSealed`. */
export async function verifySealed(
  file: string | Buffer | FileHandle,
  keyLookup: KeyLookup,
): Promise<Result<VerifiedContents>> {
  const opened = await openSealed(file, keyLookup);
  if (!opened.ok) return opened;
  try {
    const hash = createHash('sha256');
    for await (const chunk of opened.value.chunks()) {
      if (!chunk.ok) return chunk;
      hash.update(chunk.value);
      chunk.value.fill(0);
    }
    const { info, findings, plainSize } = opened.value;
    return succeed({ info, findings, plainSize, plainSha256: hash.digest('hex') });
  } finally {
    await opened.value.close();
  }
}

async function openHandle(
  handle: FileHandle,
  keyLookup: KeyLookup,
  borrowed: boolean,
): Promise<Result<OpenedSealedFile>> {
  const head = await readHead(handle);
  if (!head.ok) return head;
  const { area, label, epoch } = head.value.fields;
  const opened = await withLabelKey(keyLookup, { area, label, epoch }, (labelKey) =>
    openSecret(head.value, labelKey, crypto),
  );
  if (!opened.ok) return opened;
  const { size } = await handle.stat();
  const layout = layoutOf(opened.value, size);
  if (!layout.ok) {
    wipeSecret(opened.value.secret);
    return layout;
  }
  const sealed = new SealedContents(handle, opened.value, layout.value, borrowed);
  const checked = await sealed.checkSeal().catch((thrown: unknown) => {
    sealed.wipe();
    throw thrown;
  });
  if (checked.ok) return succeed(sealed);
  sealed.wipe();
  return checked;
}

interface Layout {
  readonly diskSize: number;
  readonly plainSize: number;
  readonly chunkSizeLog2: number;
}

/** Section 6: the size on disk against the size that was sealed. */
function layoutOf(
  { head }: OpenedHead,
  diskSize: number,
): Result<Layout, AppError<'E_CONTAINER_SHORT' | 'E_CONTAINER_TRUNCATED' | 'E_CONTAINER_SEAL'>> {
  const { chunkSizeLog2, state, plainSize: wanted } = head.fields;
  const fromDisk = plainSizeOf(chunkSizeLog2, diskSize);
  if (!fromDisk.ok) return fromDisk;
  const plainSize = fromDisk.value;
  const sizes = `${String(plainSize)} bytes, ${String(wanted)} were sealed`;
  if (state === 'sealed' && plainSize < wanted) return fail('E_CONTAINER_TRUNCATED', sizes);
  if (state === 'sealed' && plainSize > wanted) return fail('E_CONTAINER_SEAL', sizes);
  return succeed({ diskSize, plainSize, chunkSizeLog2 });
}

class SealedContents implements OpenedSealedFile {
  readonly info: SealedFileInfo;
  readonly findings: readonly ContainerFinding[];
  readonly plainSize: number;
  private readonly handle: FileHandle;
  private readonly opened: OpenedHead;
  private readonly layout: Layout;
  private readonly keys: FrameKeys;
  private readonly borrowed: boolean;

  constructor(handle: FileHandle, opened: OpenedHead, layout: Layout, borrowed: boolean) {
    this.handle = handle;
    this.opened = opened;
    this.layout = layout;
    this.borrowed = borrowed;
    this.info = describeHead(opened.head, layout.diskSize, true);
    this.findings = this.info.findings;
    this.plainSize = layout.plainSize;
    const { fileKey } = opened.secret;
    this.keys = deriveFrameKeys(fileKey, opened.head.fields.fileId, crypto);
  }

  /** The first pass: all tags against the accumulator. An `open` file has nothing to check. */
  async checkSeal(): Promise<Result<null>> {
    if (this.opened.head.fields.state === 'open') return succeed(null);
    const sum = new Uint8Array(DIGEST_BYTES);
    for await (const read of this.frames()) {
      if (!read.ok) return read;
      const { index, frame } = read.value;
      const kind = frameKind(frame);
      if (kind === 'impossible') return fail('E_CONTAINER_CHUNK', `chunk ${String(index)}`);
      if (kind === 'sealed') toggleTag(sum, index, frameTag(frame), this.keys, crypto);
    }
    return this.compareSeal(sum);
  }

  async *chunks(): AsyncIterable<Result<Uint8Array>> {
    const sum = new Uint8Array(DIGEST_BYTES);
    try {
      for await (const read of this.frames()) {
        const chunk = read.ok ? this.openChunk(read.value.index, read.value.frame, sum) : read;
        yield chunk;
        if (!chunk.ok) return;
      }
    } catch (thrown) {
      yield failFromThrown(thrown, 'read a sealed file');
      return;
    }
    const same = this.compareSeal(sum);
    if (!same.ok) yield same;
  }

  async close(): Promise<void> {
    this.wipe();
    if (!this.borrowed) await this.handle.close();
  }

  wipe(): void {
    wipeFrameKeys(this.keys);
    wipeSecret(this.opened.secret);
  }

  private openChunk(index: number, frame: Uint8Array, sum: Uint8Array): Result<Uint8Array> {
    const opened = openFrame(frame, index, this.keys, crypto);
    if (!opened.ok) return opened;
    const { plain, hole } = opened.value;
    if (!hole) toggleTag(sum, index, frameTag(frame), this.keys, crypto);
    return succeed(plain);
  }

  private compareSeal(sum: Uint8Array): Result<null, AppError<'E_CONTAINER_SEAL'>> {
    if (this.opened.head.fields.state === 'open') return succeed(null);
    if (equalSecret(sum, this.opened.secret.accumulator)) return succeed(null);
    return fail('E_CONTAINER_SEAL', 'the chunks are not those that were sealed');
  }

  private frames(): ReturnType<typeof readFrames> {
    const { chunkSizeLog2, plainSize } = this.layout;
    return readFrames(this.handle, { chunkSizeLog2, plainSize });
  }
}
