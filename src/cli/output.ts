/**
 * What the CLI writes: text for people on a terminal, or JSON for programs.
 *
 * Layer: cli. The only place that touches process.stdout and process.stderr.
 */
import { ERROR_CODES, type ErrorCode } from '../core/errors/catalogue.js';

/** A failure as a person reads it: one line, no stack. */
export interface Complaint {
  readonly code: string;
  readonly message: string;
  readonly detail: string;
}

export class Output {
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  /** One line for people; nothing in JSON mode. */
  line(text = ''): void {
    if (!this.json) process.stdout.write(`${text}\n`);
  }

  /** The answer as JSON; nothing in text mode. */
  value(value: unknown): void {
    if (this.json) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** One JSON object a line, for streams. */
  jsonLine(value: unknown): void {
    process.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** Progress on standard error: redrawn in place on a terminal, silent elsewhere and in JSON mode. */
  progress(text: string): void {
    if (!this.json && process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`);
  }

  endProgress(): void {
    if (!this.json && process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
  }

  warn(text: string): void {
    process.stderr.write(`sealway: ${text}\n`);
  }

  complain(complaint: Complaint): void {
    if (this.json) process.stdout.write(`${JSON.stringify({ error: complaint }, null, 2)}\n`);
    process.stderr.write(`sealway: ${asOneLine(complaint)}\n`);
  }
}

/** Fills in the message of a code of the catalogue. */
export function complaintOf(code: string, detail: string): Complaint {
  const known = Object.hasOwn(ERROR_CODES, code) ? ERROR_CODES[code as ErrorCode] : undefined;
  return { code, message: known?.message ?? 'The request failed.', detail };
}

function asOneLine({ code, message, detail }: Complaint): string {
  const text = detail === '' ? message : `${message} (${detail})`;
  return `${text.replaceAll(/\s+/g, ' ').trim()} [${code}]`;
}

/** `1536` → `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${String(value)} B` : `${value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** Left-aligned columns, two spaces apart; the width of East Asian characters counts as two. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
    });
  }
  return rows.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - displayWidth(cell)))
      .join('  ')
      .trimEnd(),
  );
}

function displayWidth(text: string): number {
  let width = 0;
  for (const character of text)
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u.test(
        character,
      )
        ? 2
        : 1;
  return width;
}
