/**
 * Exports a trail as JSON lines, and reads such an export back for verification.
 *
 * Layer: platform. The lines are core's (`src/core/records/export-format.ts`); files are here.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fail, succeed, type AppError, type Result } from '../core/errors/result.js';
import type { ChainHead } from '../core/records/chain.js';
import {
  EXPORT_FORMAT,
  EXPORT_VERSION,
  formatExportLine,
  parseExportLine,
  type ExportHeader,
} from '../core/records/export-format.js';
import type { TrailItem, TrailReport, TrailSource } from '../core/records/verify-types.js';
import { verifyTrail } from '../core/records/verify.js';
import { errnoOf, failFromThrown } from './errno.js';
import { sha256Hex, verifySignatureHex } from './trail-crypto.js';
import { isTrailDatabase, openTrailForReading, type TrailReader } from './trail-reader.js';

/** The export's lines, each with its line feed. Write them as they come; memory stays constant. */
export async function* exportTrail(reader: TrailReader, createdMs: number): AsyncIterable<string> {
  const { anchor, base, items } = await reader.source();
  const header: ExportHeader = {
    type: 'header',
    format: EXPORT_FORMAT,
    version: EXPORT_VERSION,
    device: reader.device,
    createdMs,
    base,
  };
  yield `${formatExportLine(header)}\n`;
  let head: ChainHead = base;
  let records = 0;
  for await (const item of items) {
    if (item.type === 'record') {
      head = { seq: item.seq, hash: item.hash };
      records += 1;
    }
    yield `${formatExportLine(item)}\n`;
  }
  const signed = anchor === undefined ? {} : { anchor };
  yield `${formatExportLine({ type: 'end', records, head, ...signed })}\n`;
}

export interface VerifyOptions {
  /** The device's public key (64 hex digits), known from elsewhere. */
  readonly publicKey?: string;
}

/**
 * Verifies a trail's database or an export, offline.
 *
 * @returns a report, also (and above all) when the trail is broken. A failure only when there is
 *   no trail to look at: `E_TRAIL_NOT_FOUND`, `E_TRAIL_FORMAT`, `E_TRAIL_VERSION` or a code of the
 *   file system.
 */
export async function verifyTrailFile(
  path: string,
  options: VerifyOptions = {},
): Promise<Result<TrailReport>> {
  const database = await isTrailDatabase(path);
  if (!database.ok) return database;
  const tools = { sha256: sha256Hex, verifySignature: verifySignatureHex, ...options };
  if (!database.value) {
    const opened = await openExport(path);
    if (!opened.ok) return opened;
    try {
      return succeed(await verifyTrail(opened.value, tools));
    } catch (thrown) {
      if (thrown instanceof ExportFault) return { ok: false, error: thrown.error };
      return failFromThrown(thrown, `read ${path}`);
    }
  }
  const reader = await openTrailForReading(path);
  if (!reader.ok) return reader;
  try {
    return succeed(await verifyTrail(await reader.value.source(), tools));
  } catch (thrown) {
    // SQLite itself may find the file damaged half-way.
    if (errnoOf(thrown)?.startsWith('SQLITE_') !== true) throw thrown;
    return fail('E_TRAIL_BROKEN', `the database is damaged: ${errnoOf(thrown) ?? ''}`, thrown);
  } finally {
    await reader.value.close();
  }
}

type ExportError = AppError<'E_TRAIL_FORMAT' | 'E_TRAIL_VERSION'>;

/** A malformed line met while `verifyTrail` pulls items; caught in this file alone. */
class ExportFault extends Error {
  readonly error: ExportError;

  constructor(error: ExportError) {
    super(error.detail);
    this.error = error;
  }
}

/** Reads header and end, which stand at the two ends of the file, and then streams the middle. */
async function openExport(path: string): Promise<Result<TrailSource>> {
  const first = await firstLine(path);
  const header = parseExportLine(first ?? '');
  if (!header.ok) return header;
  if (header.value.type !== 'header') return fail('E_TRAIL_FORMAT', 'the first line is no header');
  const last = parseExportLine(await lastLine(path));
  const end = last.ok && last.value.type === 'end' ? last.value : undefined;
  const { base } = header.value;
  return succeed({
    base,
    ...(end?.anchor === undefined ? {} : { anchor: end.anchor }),
    end: end?.head ?? 'missing',
    items: exportItems(path),
  });
}

async function* exportItems(path: string): AsyncIterable<TrailItem> {
  const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity });
  let number = 0;
  for await (const text of lines) {
    number += 1;
    const line = parseExportLine(text);
    if (!line.ok) {
      const detail = `line ${String(number)}: ${line.error.detail}`;
      throw new ExportFault({ ...line.error, detail });
    }
    if (line.value.type === 'record' || line.value.type === 'checkpoint') yield line.value;
  }
}

async function firstLine(path: string): Promise<string | undefined> {
  const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity });
  for await (const line of lines) return line;
  return undefined;
}

/** The last 64 KiB hold the end line, which is a few hundred bytes long. */
async function lastLine(path: string): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, 65_536);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8').trimEnd().split('\n').at(-1) ?? '';
  } finally {
    await handle.close();
  }
}
