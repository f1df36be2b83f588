/**
 * A write load inside a session, and the model of what must be on disk.
 *
 * Four kinds of files, one operation at a time for each: small appends, overwrites across chunk
 * borders, saves by rename, new files. An operation is in one of three states: acknowledged (its
 * bytes must be there), in flight (old or new bytes, each as a whole or in part), not begun.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { SessionWorker, WorkOrder } from './session-worker.js';

const OVERWRITTEN_BYTES = 300_000;
const CHUNK = 16_384;

interface Flight {
  readonly act: 'append' | 'overwrite' | 'save' | 'create';
  readonly at: number;
  readonly bytes: Buffer;
}

/** One file that is written again and again. */
interface ModelFile {
  readonly path: string;
  readonly kind: 'append' | 'overwrite' | 'save';
  content: Buffer;
  flight: Flight | null;
}

export class WriteLoad {
  acknowledged = 0;
  retried = 0;
  readonly errors: string[] = [];
  private readonly directory: string;
  private readonly marker: string;
  private readonly random: () => number;
  private readonly files: ModelFile[];
  private readonly created = new Map<string, string>();
  private operations = 0;
  private running = false;
  private lanes: Promise<void>[] = [];

  constructor(directory: string, marker: string, random: () => number) {
    this.directory = directory;
    this.marker = marker;
    this.random = random;
    const file = (kind: ModelFile['kind'], name: string): ModelFile => ({
      path: join(directory, name),
      kind,
      content: Buffer.alloc(0),
      flight: null,
    });
    this.files = [
      file('append', 'events.csv'),
      file('append', 'journal.txt'),
      file('overwrite', 'waybills.db'),
      file('overwrite', 'prices.db'),
      file('save', 'letter.docx'),
    ];
  }

  /** Makes the files that are overwritten. */
  async prepare(worker: SessionWorker): Promise<void> {
    for (const file of this.files) {
      const length = file.kind === 'overwrite' ? OVERWRITTEN_BYTES : 1;
      await this.perform(worker, file, this.next(file, length, 'create'));
    }
  }

  /** Runs until `pause`, or until the session ends. */
  run(worker: SessionWorker): void {
    this.running = true;
    this.lanes = [...this.files.map((file) => this.lane(worker, file)), this.newFiles(worker)];
  }

  /** Lets what is in flight come to its end. */
  async pause(): Promise<void> {
    this.running = false;
    await Promise.all(this.lanes);
  }

  /**
   * Compares everything, byte by byte, with what a session sees; `[]` when all is there.
   * What was in flight when a session ended is settled as it is found.
   */
  async differences(reader: SessionWorker): Promise<string[]> {
    const found: string[] = [];
    for (const file of this.files) {
      const answer = await reader.order({ act: 'content', path: file.path });
      if (answer?.base64 === undefined) found.push(`${file.path}: ${answer?.error ?? 'no answer'}`);
      else found.push(...settle(file, Buffer.from(answer.base64, 'base64')));
    }
    found.push(...(await this.createdDifferences(reader)));
    return found;
  }

  /** Undoes the part of an append that was not acknowledged. */
  async settleAppends(worker: SessionWorker): Promise<void> {
    for (const { path, kind, content } of this.files) {
      if (kind === 'append') await worker.order({ act: 'trim', path, size: content.length });
    }
  }

  private async createdDifferences(reader: SessionWorker): Promise<string[]> {
    const paths = [...this.created.keys()];
    const answer = await reader.order({ act: 'digests', paths });
    return paths.flatMap((path, at) => {
      const seen = answer?.digests?.[at] ?? 'no answer';
      return seen === this.created.get(path) ? [] : [`${path}: ${seen}`];
    });
  }

  private async lane(worker: SessionWorker, file: ModelFile): Promise<void> {
    while (this.running) {
      const length = this.lengthFor(file.kind);
      if (!(await this.perform(worker, file, this.next(file, length, file.kind)))) return;
      // Files are closed now and then, so that they are sealed and opened anew under the load.
      if (this.random() < 0.1) await worker.order({ act: 'close', path: file.path });
    }
  }

  private lengthFor(kind: ModelFile['kind']): number {
    const [from, to] = { append: [20, 3_000], overwrite: [500, 40_000], save: [1, 60_000] }[kind];
    return Math.floor((from ?? 0) + this.random() * ((to ?? 1) - (from ?? 0)));
  }

  private next(file: ModelFile, length: number, act: Exclude<WorkOrder['act'], 'view'>): WorkOrder {
    const text = `${this.marker} ${String(this.operations++)} `;
    const { path, content } = file;
    if (act === 'append') return { act, path, at: content.length, text, length };
    if (act !== 'overwrite') return { act: act === 'save' ? act : 'create', path, text, length };
    const border = CHUNK * Math.floor(this.random() * (OVERWRITTEN_BYTES / CHUNK));
    const at = Math.max(0, border - Math.floor(this.random() * length));
    return { act, path, at, text, length: Math.min(length, OVERWRITTEN_BYTES - at) };
  }

  /** False when the session ended, or the operation failed. */
  private async perform(
    worker: SessionWorker,
    file: ModelFile,
    order: WorkOrder,
  ): Promise<boolean> {
    if (!('text' in order)) throw new Error(`${order.act} writes nothing`);
    const bytes = Buffer.alloc(order.length, order.text);
    file.flight = { act: order.act, at: 'at' in order ? order.at : 0, bytes };
    const answer = await worker.order(order);
    if (answer === null) return false;
    if (!answer.ok) this.errors.push(answer.error ?? '');
    if (!answer.ok) return false;
    this.count(answer.tries);
    file.content = after(file.content, file.flight);
    file.flight = null;
    return true;
  }

  private async newFiles(worker: SessionWorker): Promise<void> {
    while (this.running) {
      const path = join(this.directory, `parcel ${String(this.created.size)}.xml`);
      const length = Math.floor(1 + this.random() * 40_000);
      const text = `${this.marker} ${String(this.operations++)} `;
      const answer = await worker.order({ act: 'create', path, text, length });
      if (answer?.ok !== true) {
        if (answer !== null) this.errors.push(answer.error ?? '');
        return;
      }
      this.count(answer.tries);
      this.created.set(path, sha256(Buffer.alloc(length, text)));
    }
  }

  private count(tries = 0): void {
    this.acknowledged += 1;
    this.retried += tries > 0 ? 1 : 0;
  }
}

function after(content: Buffer, { act, at, bytes }: Flight): Buffer {
  if (act === 'append') return Buffer.concat([content, bytes]);
  if (act !== 'overwrite') return bytes;
  const next = Buffer.from(content);
  bytes.copy(next, at);
  return next;
}

/** What is wrong with `seen`; afterwards the model holds what was found of an operation in flight. */
function settle(file: ModelFile, seen: Buffer): string[] {
  const { content, flight, kind, path } = file;
  file.flight = null;
  if (seen.equals(content)) return [];
  if (flight === null) return [`${path}: ${firstDifference(content, seen)}`];
  const done = after(content, flight);
  if (kind === 'append') {
    // A part of what was in flight, and everything before it.
    const part = seen.length <= done.length && done.subarray(0, seen.length).equals(seen);
    return part && seen.length >= content.length ? [] : [`${path}: ${firstDifference(done, seen)}`];
  }
  if (kind === 'save') {
    if (!seen.equals(done)) return [`${path}: neither the old nor the new save`];
    file.content = done;
    return [];
  }
  const fits =
    seen.length === done.length &&
    seen.every((byte, at) => byte === content[at] || byte === done[at]);
  if (!fits) return [`${path}: ${firstDifference(done, seen)}`];
  file.content = seen;
  return [];
}

function firstDifference(wanted: Buffer, seen: Buffer): string {
  const at = wanted.findIndex((byte, index) => byte !== seen[index]);
  return `${String(seen.length)} bytes of ${String(wanted.length)}, first other byte at ${String(at)}`;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
