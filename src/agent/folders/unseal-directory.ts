/**
 * Takes the protection off a folder: every sealed file that opens becomes the document again.
 *
 * Layer: agent. The undo of `seal-directory.ts`, by the same atomic replacement. Here the new
 * contents are plaintext, and so is the temp file (mode 0600, reserved name) until it is renamed:
 * that is the purpose. The document is complete and authentic before the sealed file goes; a file
 * that does not open stays sealed and is reported.
 */
import type { FileHandle } from 'node:fs/promises';
import { isAllZero } from '../../core/container/bytes.js';
import { succeed, type Result } from '../../core/errors/result.js';
import { inspectSealedFile } from '../../platform/container/inspect.js';
import type { KeyLookup } from '../../platform/container/key-lookup.js';
import { openSealed, type OpenedSealedFile } from '../../platform/container/open-sealed.js';
import { writeAt } from '../../platform/container/positioned-io.js';
import { openDescendant, openFileIn, type DirectoryHandle } from './directory-handle.js';
import { replaceFile, type CopyMetadata, type FileName } from './file-replacer.js';
import { claim } from './link-groups.js';
import {
  runOverFolder,
  type FileOutcome,
  type FolderReport,
  type FolderRun,
  type FolderRunOptions,
} from './folder-run.js';
import { sameComponents, type FileEntry } from './walk.js';

/** A sealed file has become a document again; for records. */
export interface UnsealedEvent {
  readonly path: string;
  readonly fileId: string;
  readonly plainSize: number;
  readonly findings: readonly string[];
}

export interface UnsealDirectoryOptions extends FolderRunOptions {
  readonly keyFor: KeyLookup;
  readonly copyMetadata?: CopyMetadata | undefined;
  readonly onUnsealed?: ((event: UnsealedEvent) => void) | undefined;
}

/**
 * Unseals every sealed file below `path`.
 *
 * A file whose key is missing, or which is damaged, is a finding and stays as it is. A file with
 * further names outside the folder is unsealed under its names inside.
 *
 * @returns the report; or why the run stopped: `E_DISK_FULL`, `E_READ_ONLY`, `E_FOLDER_CANCELLED`,
 *   `E_TOO_MANY_OPEN`, `E_FOLDER_NOT_FOUND`.
 */
export async function unsealDirectory(
  path: string,
  options: UnsealDirectoryOptions,
): Promise<Result<FolderReport>> {
  return runOverFolder(path, options, {
    wantsSealed: true,
    fatal: [],
    work: (run, entry) => unsealEntry(run, entry, options),
    settle: () => Promise.resolve(),
  });
}

async function unsealEntry(
  run: FolderRun,
  entry: FileEntry,
  options: UnsealDirectoryOptions,
): Promise<Result<FileOutcome>> {
  const source = await openFileIn(entry.directory, entry.name);
  try {
    const claims = await inspectSealedFile(source);
    if (!claims.ok && claims.error.code === 'E_CONTAINER_MAGIC')
      return succeed({ kind: 'already' });
    const links = run.links.of(entry);
    if (links !== null && !claim(links)) return succeed({ kind: 'already' });
    return await unsealSource(run, entry, source, options);
  } finally {
    await source.close();
  }
}

async function unsealSource(
  run: FolderRun,
  entry: FileEntry,
  source: FileHandle,
  { keyFor, copyMetadata, onUnsealed }: UnsealDirectoryOptions,
): Promise<Result<FileOutcome>> {
  const opened = await openSealed(source, keyFor);
  if (!opened.ok) return opened;
  const held: DirectoryHandle[] = [];
  try {
    const names = await namesOf(run, entry, held);
    const { plainSize, findings, info } = opened.value;
    const produce = (_: FileHandle, temp: FileHandle): Promise<Result<null>> =>
      writeDocument(run, opened.value, temp);
    const done = await replaceFile({ source, names, kind: 'undo', produce, copyMetadata });
    if (!done.ok) return done;
    onUnsealed?.({ path: entry.path, fileId: info.fileId, plainSize, findings });
    return succeed({ kind: 'done', plainBytes: plainSize });
  } finally {
    for (const directory of held) await directory.release();
    await opened.value.close();
  }
}

async function namesOf(
  run: FolderRun,
  entry: FileEntry,
  held: DirectoryHandle[],
): Promise<[FileName, ...FileName[]]> {
  const names: [FileName, ...FileName[]] = [entry];
  for (const components of run.links.of(entry)?.names ?? []) {
    if (sameComponents(components, entry.components)) continue;
    const directory = await openDescendant(run.root, components.slice(0, -1));
    held.push(directory);
    names.push({ directory, name: components.at(-1) ?? Buffer.alloc(0) });
  }
  return names;
}

async function writeDocument(
  run: FolderRun,
  sealed: OpenedSealedFile,
  temp: FileHandle,
): Promise<Result<null>> {
  let position = 0;
  for await (const chunk of sealed.chunks()) {
    if (!chunk.ok) return chunk;
    // Left out, a chunk of zero bytes takes no room: a sparse file becomes sparse again.
    if (!isAllZero(chunk.value)) await writeAt(temp, chunk.value, position);
    position += chunk.value.length;
    run.countBytes(chunk.value.length);
    chunk.value.fill(0);
  }
  await temp.truncate(position);
  return succeed(null);
}
