/**
 * The export of a trail: JSON lines, one header, then records and checkpoints, then an end line.
 *
 * Layer: core. Each line is canonical JSON; spec: docs/spec/record-v1.md, section 7.
 * Not here: files. Verification of an export is `verifyTrail` over `parseExportLine`'s items.
 */
import { fail, succeed, type AppError, type Result } from '../errors/result.js';
import type { ChainHead } from './chain.js';
import type { Checkpoint } from './checkpoint.js';
import { canonicalText } from './encode.js';
import type { TrailItem } from './verify-types.js';

export const EXPORT_FORMAT = 'sealway-trail';
export const EXPORT_VERSION = 1;

export interface ExportHeader {
  readonly type: 'header';
  readonly format: typeof EXPORT_FORMAT;
  readonly version: number;
  readonly device: string;
  /** Milliseconds of the wall clock when the export was made. */
  readonly createdMs: number;
  readonly base: ChainHead;
}

/** The last line. Its absence shows that the file was cut; it is not signed. */
export interface ExportEnd {
  readonly type: 'end';
  readonly records: number;
  readonly head: ChainHead;
  readonly anchor?: Checkpoint;
}

export type ExportLine = ExportHeader | ExportEnd | TrailItem;

/** One line without its line feed. */
export function formatExportLine(line: ExportLine): string {
  if (line.type !== 'record') return canonicalText(line);
  const { body, hash, previous, seq } = line;
  // The record's own bytes go in as they are, so that a changed record exports as changed.
  return `{"body":${JSON.stringify(body)},"hash":"${hash}","previous":"${previous}","seq":${String(seq)},"type":"record"}`;
}

/** Reads one line. `E_TRAIL_FORMAT` when it is none of the four, `E_TRAIL_VERSION` when too new. */
export function parseExportLine(
  text: string,
): Result<ExportLine, AppError<'E_TRAIL_FORMAT' | 'E_TRAIL_VERSION'>> {
  const value = parseObject(text);
  if (value === undefined) return fail('E_TRAIL_FORMAT', 'a line is not a JSON object');
  if (value['type'] === 'header' && value['format'] === EXPORT_FORMAT) {
    if (value['version'] !== EXPORT_VERSION) {
      return fail('E_TRAIL_VERSION', `version ${String(value['version'])}`);
    }
  }
  const shape = SHAPES[String(value['type'])];
  if (shape === undefined) return fail('E_TRAIL_FORMAT', 'a line has an unknown type');
  for (const [name, isRight] of Object.entries(shape)) {
    if (!isRight(value[name])) return fail('E_TRAIL_FORMAT', `a line lacks a proper "${name}"`);
  }
  return succeed(value as unknown as ExportLine);
}

type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === 'string';
const isHash: Check = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isHead: Check = (value) => isObject(value) && isCount(value['seq']) && isHash(value['hash']);
const isCheckpoint: Check = (value) =>
  isObject(value) && Object.entries(CHECKPOINT_SHAPE).every(([name, check]) => check(value[name]));

const CHECKPOINT_SHAPE: Readonly<Record<string, Check>> = {
  seq: isCount,
  hash: isHash,
  device: isText,
  wallMs: isCount,
  publicKey: isHash,
  signature: (value) => typeof value === 'string' && /^[0-9a-f]{128}$/.test(value),
};

const SHAPES: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  header: {
    format: (value) => value === EXPORT_FORMAT,
    device: isText,
    createdMs: isCount,
    base: isHead,
  },
  // Any integer: a number that was tampered with is for the verifier to find, not for the reader.
  record: { seq: Number.isSafeInteger, hash: isHash, previous: isHash, body: isText },
  checkpoint: CHECKPOINT_SHAPE,
  end: {
    records: isCount,
    head: isHead,
    anchor: (value) => value === undefined || isCheckpoint(value),
  },
};

/** A head file's or an export's checkpoint; `undefined` when it is not of the right form. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const value = parseObject(text);
  return value !== undefined && isCheckpoint(value) ? (value as unknown as Checkpoint) : undefined;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
