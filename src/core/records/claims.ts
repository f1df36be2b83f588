/**
 * What a record's text says of itself, read without believing it.
 *
 * Layer: core. Only what verification needs; the whole shape is checked by src/contracts/record.ts.
 */
import { canonicalText } from './encode.js';

export interface RecordClaims {
  readonly seq: number;
  readonly kind: string;
  readonly wallMs: number;
  readonly bootId?: string;
  /** For a record of kind `gap`. */
  readonly gapCause?: string;
}

/** `undefined` when `body` is no canonical JSON object with a sequence, a kind and a time. */
export function readClaims(body: string): RecordClaims | undefined {
  const value = parseCanonical(body);
  if (!isObject(value) || !isObject(value['time'])) return undefined;
  const { seq, kind } = value;
  const wallMs = value['time']['wallMs'];
  if (!Number.isSafeInteger(seq) || typeof kind !== 'string') return undefined;
  if (typeof wallMs !== 'number') return undefined;
  const { bootId } = value['time'];
  const cause = isObject(value['details']) ? value['details']['cause'] : undefined;
  return {
    seq: seq as number,
    kind,
    wallMs,
    ...(typeof bootId === 'string' ? { bootId } : {}),
    ...(kind === 'gap' && typeof cause === 'string' ? { gapCause: cause } : {}),
  };
}

/** True for the record that a clean stop leaves at the end. */
export function isAgentStop({ kind }: RecordClaims): boolean {
  return kind === 'agent-stop';
}

function parseCanonical(body: string): unknown {
  try {
    const value: unknown = JSON.parse(body);
    // Two texts may parse to the same value (space, order, doubled names): one of them is wrong.
    return canonicalText(value) === body ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
