/**
 * `sealway info FILE`, `seal PATH…`, `unseal FILE --out FILE`.
 *
 * Layer: cli. The bytes go through the agent, which holds the keys and asks policy; names and
 * permissions are the caller's own. A sealed file replaces the plain one by rename, and an unsealed
 * one appears whole or not at all.
 */
import { createReadStream, type Stats } from 'node:fs';
import { lstat, readdir, stat, utimes, chmod } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { writeFileAtomic } from '../../platform/atomic-file.js';
import { failFromThrown } from '../../platform/errno.js';
import { inspectSealedFile, type SealedFileInfo } from '../../platform/container/inspect.js';
import { CommandFailure } from '../agent-client.js';
import type { Context } from '../context.js';
import { formatBytes } from '../output.js';
import { localTime } from './status.js';

export async function showInfo({ out }: Context, file: string): Promise<void> {
  const info = await inspectSealedFile(resolve(file));
  if (!info.ok) throw CommandFailure.of(info.error.code, `${file}: ${info.error.detail}`);
  out.value({ file: resolve(file), ...info.value });
  for (const [name, value] of infoRows(info.value)) out.line(`${name.padEnd(10)} ${value}`);
  out.line();
  out.line(
    "These are the file's own claims, read without a key: nothing is proven until it is opened.",
  );
}

function infoRows(info: SealedFileInfo): [string, string][] {
  const size = info.plainSize === null ? 'impossible size on disk' : formatBytes(info.plainSize);
  return [
    ['label', info.label],
    ['area', info.area],
    ['key', `${info.key.area} / ${info.key.label} / epoch ${String(info.key.epoch)}`],
    ['file id', info.fileId],
    ...(info.parentFileId === null ? [] : [['made from', info.parentFileId] as [string, string]]),
    ...(info.originName === null ? [] : [['sealed as', info.originName] as [string, string]]),
    ['device', info.deviceId],
    ['created', localTime(info.createdMs)],
    ['state', info.state === 'sealed' ? 'sealed' : 'open (being written, or its writer ended)'],
    ['document', size],
    ...(info.sizeFits
      ? []
      : [['warning', 'the size on disk is not the one that was sealed'] as [string, string]]),
    ...info.findings.map((finding) => ['finding', finding] as [string, string]),
  ];
}

export interface SealOptions {
  readonly label?: string;
  readonly area?: string;
}

/** Seals files, and directories file by file; what is sealed already is left alone. */
export async function sealPaths(
  context: Context,
  paths: readonly string[],
  options: SealOptions,
): Promise<void> {
  const outcomes: { file: string; outcome: 'sealed' | 'was sealed' }[] = [];
  for (const path of paths) {
    for await (const file of filesBelow(resolve(path))) {
      const outcome = await sealOne(context, file, options);
      outcomes.push({ file, outcome });
      context.out.line(`${outcome.padEnd(10)} ${file}`);
    }
  }
  context.out.value({ files: outcomes });
}

async function sealOne(
  context: Context,
  file: string,
  options: SealOptions,
): Promise<'sealed' | 'was sealed'> {
  const already = await inspectSealedFile(file);
  if (already.ok) return 'was sealed';
  if (already.error.code !== 'E_CONTAINER_MAGIC') {
    throw CommandFailure.of(already.error.code, `${file}: ${already.error.detail}`);
  }
  const before = await stat(file);
  const query = { ...options, name: basename(file) };
  const answer = await context.agent.stream('seal', query, createReadStream(file));
  const bytes = unlessChanged(answer, file, before);
  const written = await writeFileAtomic(file, bytes, { mode: before.mode & 0o7777 });
  if (!written.ok) throw CommandFailure.of(written.error.code, written.error.detail);
  await utimes(file, before.atime, before.mtime);
  return 'sealed';
}

/** The stream's bytes; fails at its end when somebody wrote the plain file meanwhile. */
async function* unlessChanged(
  stream: AsyncIterable<Uint8Array>,
  file: string,
  before: Stats,
): AsyncGenerator<Uint8Array> {
  yield* stream;
  const now = await stat(file);
  if (now.mtimeMs === before.mtimeMs && now.size === before.size && now.ino === before.ino) return;
  throw CommandFailure.of(
    'E_BUSY',
    `${file} was changed while it was being sealed; it is as it was`,
  );
}

/** Regular files at or below `path`; symbolic links are not followed. */
async function* filesBelow(path: string): AsyncGenerator<string> {
  let found;
  try {
    found = await lstat(path);
  } catch (thrown) {
    const { error } = failFromThrown(thrown, path);
    throw CommandFailure.of(error.code, error.detail);
  }
  if (found.isFile()) yield path;
  if (!found.isDirectory()) return;
  for (const name of (await readdir(path)).sort()) yield* filesBelow(join(path, name));
}

export interface UnsealOptions {
  readonly out: string;
  readonly reason?: string;
}

/** Writes the document in the clear, when policy allows this person to let it out. */
export async function unsealFile(
  context: Context,
  file: string,
  options: UnsealOptions,
): Promise<void> {
  const source = resolve(file);
  const target = resolve(options.out);
  await mustBeReadable(source);
  const query = {
    name: basename(source),
    ...(options.reason === undefined ? {} : { justification: options.reason }),
  };
  const answer = await context.agent.stream('unseal', query, createReadStream(source));
  const expected = Number(answer.headers['content-length']);
  const written = await writeFileAtomic(target, wholeOrNothing(answer, expected, file), {
    mode: 0o600,
  });
  if (!written.ok) throw CommandFailure.of(written.error.code, written.error.detail);
  await chmod(target, 0o600);
  context.out.value({ file: source, out: target, sizeBytes: written.value });
  context.out.line(
    `${target}: ${formatBytes(written.value)} in the clear. This export is recorded.`,
  );
}

/** The stream's bytes; throws when it ends early, so that the atomic writer drops what it has. */
async function* wholeOrNothing(
  stream: AsyncIterable<Uint8Array>,
  expectedBytes: number,
  file: string,
): AsyncGenerator<Uint8Array> {
  let seen = 0;
  try {
    for await (const chunk of stream) {
      seen += chunk.length;
      yield chunk;
    }
  } catch {
    throw CommandFailure.of('E_CONTAINER_CHUNK', `${file}: damaged after byte ${String(seen)}`);
  }
  if (seen !== expectedBytes) {
    throw CommandFailure.of('E_CONTAINER_TRUNCATED', `${file}: ended after byte ${String(seen)}`);
  }
}

async function mustBeReadable(file: string): Promise<void> {
  const info = await inspectSealedFile(file);
  if (!info.ok) throw CommandFailure.of(info.error.code, `${file}: ${info.error.detail}`);
}
