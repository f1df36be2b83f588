/**
 * Seals one file of a folder in place.
 *
 * Layer: agent. Spec: docs/spec/container-v1.md. Order of writes: `file-replacer.ts`.
 * What is written is read back and compared with what was read, before the old file goes.
 * No plaintext is written anywhere.
 */
import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { fail, succeed, type Result } from '../../core/errors/result.js';
import { inspectSealedFile } from '../../platform/container/inspect.js';
import type { KeyLookup } from '../../platform/container/key-lookup.js';
import { verifySealed } from '../../platform/container/open-sealed.js';
import { sealStream, type SealedSummary } from '../../platform/container/seal-stream.js';
import { mountIdOf, openDescendant, openFileIn } from './directory-handle.js';
import type { DirectoryHandle } from './directory-handle.js';
import { replaceFile, type CopyMetadata, type FileName, type Replaced } from './file-replacer.js';
import type { LateWriters } from './late-writers.js';
import { claim, type LinkGroup } from './link-groups.js';
import type { WriterWatch } from './open-writers.js';
import { pathOf, sameComponents } from './walk.js';

/** Under which key and name files of a folder are sealed. */
export interface FolderSeal {
  readonly label: string;
  readonly area: string;
  /** The key epoch to seal under. */
  readonly epoch: number;
  /** Gives a copy of the label key, which is zeroed after use. */
  readonly keyFor: KeyLookup;
  /** 16 bytes. */
  readonly deviceId: Uint8Array;
  /** Bits of the container's flags field. */
  readonly flags?: number | undefined;
  readonly copyMetadata?: CopyMetadata | undefined;
}

/** A file has been sealed in place; for records. */
export interface SealedEvent {
  /** Relative to the folder. */
  readonly path: string;
  readonly fileId: string;
  readonly plainSize: number;
  readonly plainSha256: string;
}

export interface SealerContext {
  readonly root: DirectoryHandle;
  readonly seal: FolderSeal;
  readonly writers: WriterWatch;
  readonly late: LateWriters;
  readonly onBytes: (bytes: number) => void;
  readonly onSealed: (event: SealedEvent) => void;
  readonly onFinding: (path: string, error: ReturnType<typeof fail>['error']) => void;
}

/** One file to seal, by the way from the root. */
export interface FileToSeal {
  readonly directory: DirectoryHandle;
  readonly components: readonly Buffer[];
  /** `null` for a file with one name. */
  readonly links: LinkGroup | null;
}

/** `already`: it is sealed, or another name of it is being sealed. */
export type SealOutcome =
  { readonly kind: 'done'; readonly plainBytes: number } | { readonly kind: 'already' };

const READ_BYTES = 2 ** 20;
const ATTEMPTS = 3;

/**
 * Seals the file unless it is sealed already.
 *
 * @returns `E_FOLDER_FILE_IN_USE`, `E_FOLDER_FILE_CHANGED`, `E_FOLDER_HARD_LINK_OUTSIDE`,
 *   `E_FOLDER_NOT_READ_BACK`, `E_CONTAINER_KEY`, the refusal of a damaged container, or the file
 *   system's failure. In each case the file is as it was.
 */
export async function sealFile(
  context: SealerContext,
  file: FileToSeal,
): Promise<Result<SealOutcome>> {
  const name = file.components.at(-1) ?? Buffer.alloc(0);
  const source = await openFileIn(file.directory, name);
  let handedOver = false;
  try {
    const needed = await needsSealing(context, source, file.links);
    if (!needed.ok) return needed;
    if (!needed.value) return succeed({ kind: 'already' });
    const sealed = await sealUnderAllNames(context, file, source);
    if (!sealed.ok) return sealed;
    handedOver = true;
    await context.late.add(lateWatch(context, file, source, sealed.value));
    return succeed({ kind: 'done', plainBytes: sealed.value.made.plainSize });
  } finally {
    if (!handedOver) await source.close();
  }
}

async function needsSealing(
  context: SealerContext,
  source: FileHandle,
  links: LinkGroup | null,
): Promise<Result<boolean>> {
  const stats = await source.stat({ bigint: true });
  if (!stats.isFile()) return fail('E_FOLDER_FILE_CHANGED', 'no longer a regular file');
  if ((await mountIdOf(source)) !== context.root.mountId) return succeed(false);
  const head = await inspectSealedFile(source);
  if (head.ok) return succeed(false);
  if (head.error.code !== 'E_CONTAINER_MAGIC') return head;
  if (stats.nlink > BigInt(links?.names.length ?? 1)) {
    return fail('E_FOLDER_HARD_LINK_OUTSIDE', `${String(stats.nlink)} names in all`);
  }
  if (await context.writers.isWritten(stats)) return fail('E_FOLDER_FILE_IN_USE', 'being written');
  return succeed(links === null || claim(links));
}

async function sealUnderAllNames(
  context: SealerContext,
  file: FileToSeal,
  source: FileHandle,
): Promise<Result<Replaced<SealedSummary>>> {
  const opened: DirectoryHandle[] = [];
  try {
    const names: [FileName, ...FileName[]] = [nameOf(file.directory, file.components)];
    for (const components of file.links?.names ?? []) {
      if (sameComponents(components, file.components)) continue;
      const directory = await openDescendant(context.root, components.slice(0, -1));
      opened.push(directory);
      names.push(nameOf(directory, components));
    }
    const sealed = await sealRepeatedly(context, source, names);
    if (sealed.ok) context.onSealed(eventOf(file, sealed.value.made));
    return sealed;
  } finally {
    for (const directory of opened) await directory.release();
  }
}

function nameOf(directory: DirectoryHandle, components: readonly Buffer[]): FileName {
  return { directory, name: components.at(-1) ?? Buffer.alloc(0) };
}

function eventOf(file: FileToSeal, made: SealedSummary): SealedEvent {
  const { fileId, plainSize, plainSha256 } = made;
  return { path: pathOf(file.components), fileId, plainSize, plainSha256 };
}

/** A file that changes while it is read is tried again a few times, for short writes. */
async function sealRepeatedly(
  context: SealerContext,
  source: FileHandle,
  names: [FileName, ...FileName[]],
): Promise<Result<Replaced<SealedSummary>>> {
  let sealed = await sealOnce(context, source, names);
  for (let i = 1; i < ATTEMPTS && !sealed.ok && isChange(sealed.error.code); i++) {
    sealed = await sealOnce(context, source, names);
  }
  return sealed;
}

function isChange(code: string): boolean {
  return code === 'E_FOLDER_FILE_CHANGED';
}

function sealOnce(
  context: SealerContext,
  source: FileHandle,
  names: [FileName, ...FileName[]],
): Promise<Result<Replaced<SealedSummary>>> {
  const { copyMetadata } = context.seal;
  const produce = (from: FileHandle, temp: FileHandle): Promise<Result<SealedSummary>> =>
    sealInto(context, from, temp);
  return replaceFile({ source, names, kind: 'seal', produce, copyMetadata });
}

async function sealInto(
  { seal, onBytes }: SealerContext,
  source: FileHandle,
  temp: FileHandle,
): Promise<Result<SealedSummary>> {
  const { label, area, epoch, deviceId, flags = 0 } = seal;
  const zeroChunks = isSparse(await source.stat({ bigint: true })) ? 'hole' : 'seal';
  const options = { label, area, epoch, deviceId, flags, zeroChunks, durability: 'none' } as const;
  const sealed = await sealStream(piecesOf(source, onBytes), temp, options, seal.keyFor);
  if (!sealed.ok) return sealed;
  const readBack = await verifySealed(temp, seal.keyFor);
  const { plainSha256 } = sealed.value;
  if (readBack.ok && readBack.value.plainSha256 === plainSha256) return sealed;
  return fail('E_FOLDER_NOT_READ_BACK', readBack.ok ? 'other bytes' : readBack.error.code);
}

/** Fewer blocks than bytes: it has holes already, which everybody can see. */
function isSparse({ blocks, size }: BigIntStats): boolean {
  return blocks * 512n < size;
}

async function* piecesOf(
  source: FileHandle,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(READ_BYTES);
  for (let position = 0; ;) {
    const { bytesRead } = await source.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
    onBytes(bytesRead);
  }
  buffer.fill(0);
}

function lateWatch(
  context: SealerContext,
  file: FileToSeal,
  source: FileHandle,
  { before, newInode }: Replaced<SealedSummary>,
): Parameters<LateWriters['add']>[0] {
  const path = pathOf(file.components);
  const lost = (detail: string): void => {
    context.onFinding(path, fail('E_FOLDER_FILE_CHANGED', detail).error);
  };
  return {
    path,
    source,
    before,
    onStillWritten: () => {
      lost('a program still writes into the old file');
    },
    again: async () => {
      const done = await sealAgain(context, file, source, newInode);
      if (!done) lost('was written while it was being sealed');
    },
  };
}

/** Takes the old file's contents once more, if what was put in its place is still there. */
async function sealAgain(
  context: SealerContext,
  file: FileToSeal,
  source: FileHandle,
  sealedInode: bigint,
): Promise<boolean> {
  if (file.links !== null) return false;
  const directory = await openDescendant(context.root, file.components.slice(0, -1));
  try {
    const target = nameOf(directory, file.components);
    const there = await openFileIn(directory, target.name);
    try {
      if ((await there.stat({ bigint: true })).ino !== sealedInode) return false;
      const produce = (_: FileHandle, temp: FileHandle): Promise<Result<SealedSummary>> =>
        sealInto(context, source, temp);
      // The file that is replaced is the sealed one; the contents come from the old one.
      const done = await replaceFile({ source: there, names: [target], kind: 'seal', produce });
      if (done.ok) context.onSealed(eventOf(file, done.value.made));
      return done.ok;
    } finally {
      await there.close();
    }
  } finally {
    await directory.release();
  }
}
