/**
 * `sealway audit tail | verify | export`.
 *
 * Layer: cli. `verify` and `export` read the trail itself (or an export) and need no agent: whoever
 * checks a trail must not have to ask the one who wrote it. `tail` of a person who may not read the
 * trail asks the agent for that person's own records.
 */
import { resolve } from 'node:path';
import { TrailRecordSchema } from '../../contracts/record.js';
import { AuditTailAnswer } from '../../contracts/local-api.js';
import type { TrailRecord } from '../../core/records/record.js';
import type { TrailReport } from '../../core/records/verify-types.js';
import { writeFileAtomic } from '../../platform/atomic-file.js';
import { exportTrail, verifyTrailFile } from '../../platform/trail-export.js';
import { trailPathIn } from '../../platform/trail-paths.js';
import { openTrailForReading, type TrailReader } from '../../platform/trail-reader.js';
import { CommandFailure } from '../agent-client.js';
import type { Context } from '../context.js';
import { formatTable } from '../output.js';
import { localTime } from './status.js';

export interface TailOptions {
  readonly count: number;
  readonly follow?: boolean;
}

export async function tailRecords(context: Context, options: TailOptions): Promise<void> {
  const opened = await openTrailForReading(trailPathIn(context.stateDirectory));
  if (!opened.ok) {
    if (opened.error.code !== 'E_NO_PERMISSION') throw failureOf(opened.error);
    await tailOwnRecords(context, options.count);
    return;
  }
  const stopped = new AbortController();
  process.once('SIGINT', () => {
    stopped.abort();
  });
  try {
    await printTail(context, opened.value, options, stopped.signal);
  } finally {
    await opened.value.close();
  }
}

async function printTail(
  { out }: Context,
  reader: TrailReader,
  options: TailOptions,
  signal: AbortSignal,
): Promise<void> {
  const wanted = { count: options.count, follow: options.follow === true, signal };
  for await (const { body } of reader.tail(wanted)) {
    const record = JSON.parse(body) as TrailRecord;
    if (out.json) out.jsonLine(record);
    else out.line(recordLine(record));
  }
}

async function tailOwnRecords({ agent, out }: Context, count: number): Promise<void> {
  const answer = await agent.ask('audit-tail', { count }, AuditTailAnswer);
  for (const record of answer.records.map((value) => TrailRecordSchema.parse(value))) {
    if (out.json) out.jsonLine(record);
    else out.line(recordLine(record as TrailRecord));
  }
}

/** One record on one line: when, who, what, to what, by which program, and what came of it. */
export function recordLine(record: TrailRecord): string {
  const user = record.user === undefined ? '-' : (record.user.name ?? String(record.user.uid));
  const event = record.details?.['event'];
  const what = typeof event === 'string' ? event : (record.operation ?? record.kind);
  const view = record.details?.['view'];
  const words = [
    String(record.seq).padStart(6),
    localTime(record.time.wallMs),
    user.padEnd(10),
    what.padEnd(16),
    (record.decision?.verdict ?? '-').padEnd(5),
    (record.outcome ?? '-').padEnd(7),
    (typeof view === 'string' ? view : '-').padEnd(6),
    record.object?.path ?? '',
    record.application?.path === undefined ? '' : `(${record.application.path})`,
  ];
  return words.join('  ').trimEnd();
}

/** Verifies the trail, or an export; a broken chain is a failure that names the first bad place. */
export async function verifyRecords(
  context: Context,
  file: string | undefined,
  options: { readonly publicKey?: string },
): Promise<void> {
  const path = file === undefined ? trailPathIn(context.stateDirectory) : resolve(file);
  const verified = await verifyTrailFile(path, options);
  if (!verified.ok) throw failureOf(verified.error);
  const report = verified.value;
  context.out.value(report);
  for (const line of reportLines(report, path)) context.out.line(line);
  const { finding } = report;
  if (finding === undefined) return;
  const where = `record ${String(finding.seq)}: ${finding.problem}: ${finding.detail}`;
  throw CommandFailure.of('E_TRAIL_BROKEN', where);
}

function reportLines(report: TrailReport, path: string): string[] {
  const rows = [
    ['trail', path],
    [
      'records',
      `${String(report.records)} (${String(report.firstSeq)} to ${String(report.lastSeq)})`,
    ],
    ['head', report.headHash],
    [
      'signed',
      `through ${String(report.signedThrough)}, ${String(report.checkpoints)} checkpoints`,
    ],
    ['gaps', String(report.gapCount)],
    ['chain', report.ok ? 'whole: nothing changed, removed, inserted or reordered' : 'BROKEN'],
  ];
  return formatTable(rows);
}

/** Writes the trail as JSON lines that `audit verify FILE` checks anywhere. */
export async function exportRecords(context: Context, outFile: string): Promise<void> {
  const opened = await openTrailForReading(trailPathIn(context.stateDirectory));
  if (!opened.ok) throw failureOf(opened.error);
  try {
    const lines = encoded(exportTrail(opened.value, Date.now()));
    const written = await writeFileAtomic(resolve(outFile), lines, { mode: 0o600 });
    if (!written.ok) throw failureOf(written.error);
    context.out.value({ out: resolve(outFile), sizeBytes: written.value });
    context.out.line(
      `${resolve(outFile)} written. Check it anywhere with: sealway audit verify FILE`,
    );
  } finally {
    await opened.value.close();
  }
}

async function* encoded(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const line of lines) yield Buffer.from(line);
}

function failureOf(error: { readonly code: string; readonly detail: string }): CommandFailure {
  return CommandFailure.of(error.code, error.detail);
}
