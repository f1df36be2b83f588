/**
 * Loads golden vectors: a few lines of text, an empty line, and bytes to the end of the file.
 *
 * Format: test/vectors/container/README.md. A suite without inputs must not pass, so an empty
 * folder throws; so does a vector that lacks a line it needs.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Vector {
  /** The file's name without `.vec`. */
  readonly id: string;
  /** `ok`, or the code of the refusal. */
  readonly expect: string;
  readonly key: Uint8Array;
  readonly why: string;
  readonly findings: readonly string[];
  /** Only with `ok`. */
  readonly plainSize: number | null;
  readonly plainSha256: string | null;
  readonly bytes: Buffer;
}

const LINE = /^([a-z0-9-]+): (.*)$/;

/** Every vector in `directory`, in the order of names. Throws when there is none. */
export function loadVectors(directory: string): readonly Vector[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.vec'));
  if (names.length === 0) throw new Error(`no *.vec files in ${directory}`);
  return names.sort().map((name) => parseVector(name, readFileSync(join(directory, name))));
}

export function parseVector(name: string, file: Buffer): Vector {
  const end = file.indexOf('\n\n');
  if (end < 0) throw new Error(`${name}: no empty line after the text`);
  const fields = new Map<string, string[]>();
  for (const line of file.subarray(0, end).toString('utf8').split('\n')) {
    const [, key = '', value = ''] = LINE.exec(line) ?? [];
    if (key === '') throw new Error(`${name}: not a line of the form "key: value": ${line}`);
    fields.set(key, [...(fields.get(key) ?? []), value]);
  }
  const need = (key: string): string => {
    const [value] = fields.get(key) ?? [];
    if (value === undefined) throw new Error(`${name}: no ${key}`);
    return value;
  };
  const ok = need('expect') === 'ok';
  return {
    id: name.replace(/\.vec$/, ''),
    expect: need('expect'),
    key: Buffer.from(need('key'), 'hex'),
    why: need('why'),
    findings: fields.get('finding') ?? [],
    plainSize: ok ? Number(need('plain-size')) : null,
    plainSha256: ok ? need('plain-sha256') : null,
    bytes: file.subarray(end + 2),
  };
}
