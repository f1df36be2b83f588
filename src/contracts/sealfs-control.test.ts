/** Both ends of the protocol are held to test/vectors/sealfs-control; this is the agent's end. */
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import {
  SealPendingAnswer,
  SealfsAnswer,
  SealfsEvent,
  SealfsHealth,
  SealfsHello,
  SealfsRequest,
} from './sealfs-control.js';

interface Row {
  readonly id?: string;
  readonly from: 'agent' | 'sealfs';
  readonly to: 'agent' | 'sealfs';
  readonly message: { readonly type: string; readonly id?: number | null };
}

/** Throws when there is nothing: a suite without inputs must not pass. */
function load(name: string): Row[] {
  const url = new URL(`../../test/vectors/sealfs-control/${name}`, import.meta.url);
  const lines = readFileSync(url, 'utf8').trim().split('\n');
  if (lines.length < 10) throw new Error(`vectors are missing: ${name}`);
  return lines.map((line) => JSON.parse(line) as Row);
}

const named = (rows: readonly Row[]): { id: string; message: Row['message'] }[] =>
  rows.map(({ message }, index) => ({ id: `${message.type}-${String(index)}`, message }));

const transcript = load('transcript.jsonl');
const toAgent = transcript.filter(({ to }) => to === 'agent');
const fromAgent = transcript.filter(({ from }) => from === 'agent');

describe('the golden transcript', () => {
  it.each(named(toAgent))('$id is taken from sealfs', ({ message }) => {
    expect(SealfsAnswer.parse(message)).toEqual(message);
  });

  it.each(named(fromAgent))('$id may be sent to sealfs', ({ message }) => {
    expect(SealfsRequest.parse(message)).toEqual(message);
  });

  it.each(named(fromAgent))('$id with one key more is never sent', ({ message }) => {
    expect(SealfsRequest.safeParse({ ...message, extra: 1 }).success).toBe(false);
  });

  it.each(named(toAgent.filter(({ message }) => message.type !== 'ok')))(
    '$id with one key more is refused',
    ({ message }) => {
      expect(SealfsAnswer.safeParse({ ...message, extra: 1 }).success).toBe(false);
    },
  );

  it.each([
    { id: 'hello', schema: SealfsHello },
    { id: 'health', schema: SealfsHealth },
    { id: 'seal-pending', schema: SealPendingAnswer },
  ])('$id is answered in the shape its caller asks for', ({ id, schema }) => {
    const asked = fromAgent.find(({ message }) => message.type === id)!;
    const answer = toAgent.find(({ message }) => message.id === asked.message.id)!;
    expect(schema.safeParse(answer.message).success).toBe(true);
  });

  it('shows every type of request and every operation of an event', () => {
    const shown = new Set(fromAgent.map(({ message }) => message.type));
    const types = SealfsRequest.options.map(({ shape }) => shape.type.value);
    const ops = new Set(toAgent.map(({ message }) => (message as { op?: string }).op));
    expect(types.filter((type) => !shown.has(type))).toEqual([]);
    expect(SealfsEvent.shape.op.options.filter((op) => !ops.has(op))).toEqual([]);
  });
});

describe('messages that one end would refuse', () => {
  const wrong = load('refused.jsonl').map((row) => ({ ...row, id: row.id ?? '' }));

  it.each(wrong.filter(({ from }) => from === 'agent'))('$id is never sent', ({ message }) => {
    expect(SealfsRequest.safeParse(message).success).toBe(false);
  });

  it.each(wrong.filter(({ from }) => from === 'sealfs'))('$id is never taken', ({ message }) => {
    expect(SealfsAnswer.safeParse(message).success).toBe(false);
  });
});
