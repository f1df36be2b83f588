/**
 * Reads the text files of one directory, bounded.
 *
 * Layer: platform. Generic: the caller says which names it wants and how much is too much.
 * Directories, hidden files and editors' left-overs are passed over. Text that is no UTF-8 is a
 * failure, never replacement characters: what was not read must not be believed.
 */
import { constants, type Stats } from 'node:fs';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, succeed, type Result } from '../core/errors/result.js';
import { failFromThrown } from './errno.js';

export interface ReadDirectoryOptions {
  readonly wanted: (name: string) => boolean;
  /** Of all files together. */
  readonly maxTotalBytes: number;
}

export interface TextFile {
  readonly text: string;
  readonly stats: Stats;
}

/** Left behind by editors and package managers: never part of what was meant. */
function isLeftOver(name: string): boolean {
  return name.startsWith('.') || /(~|\.sw[a-p]|\.dpkg-\w+|\.rpm\w+|\.orig|\.bak)$/u.test(name);
}

async function readAll(file: FileHandle, sizeBytes: number): Promise<Buffer> {
  // One byte more than it should have: a file that grows while it is read is not cut silently.
  const buffer = Buffer.alloc(sizeBytes + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
    if (length === buffer.length) return buffer;
  }
}

function decode(name: string, bytes: Buffer): Result<string> {
  try {
    return succeed(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch (fault) {
    return fail('E_IO', `${name}: is not UTF-8 text`, fault);
  }
}

async function readText(path: string, name: string, mostBytes: number): Promise<Result<TextFile>> {
  // O_NONBLOCK: opening a named pipe that somebody put there must not hang the agent.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return fail('E_WRONG_TYPE', `${name}: is not a regular file`);
    if (stats.size > mostBytes)
      return fail('E_FILE_TOO_LARGE', `${name}: ${String(stats.size)} bytes`);
    const bytes = await readAll(file, stats.size);
    if (bytes.length > stats.size) return fail('E_BUSY', `${name}: grew while it was read`);
    const text = decode(name, bytes);
    return text.ok ? succeed({ text: text.value, stats }) : text;
  } finally {
    await file.close();
  }
}

/**
 * Reads every wanted file directly under `directory`.
 *
 * @returns the files by name; `E_NOT_FOUND` and the like when the directory or a file cannot be
 *   read; `E_FILE_TOO_LARGE` beyond `maxTotalBytes`; `E_IO` for text that is not UTF-8.
 */
export async function readDirectory(
  directory: string,
  options: ReadDirectoryOptions,
): Promise<Result<Readonly<Record<string, TextFile>>>> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    const names = entries
      .filter(
        (entry) => !entry.isDirectory() && !isLeftOver(entry.name) && options.wanted(entry.name),
      )
      .map(({ name }) => name)
      .sort();
    const files: Record<string, TextFile> = {};
    let leftBytes = options.maxTotalBytes;
    for (const name of names) {
      const file = await readText(join(directory, name), name, leftBytes);
      if (!file.ok) return file;
      leftBytes -= file.value.stats.size;
      files[name] = file.value;
    }
    return succeed(files);
  } catch (fault) {
    return failFromThrown(fault, `read ${directory}`);
  }
}
