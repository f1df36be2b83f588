/** The writer's fast encoding gives the same bytes as the canonical one. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalText, encodeAroundSequence, encodeRecord } from './encode.js';
import {
  OPERATIONS,
  OUTCOMES,
  RECORD_KINDS,
  type RecordEvent,
  type TrailRecord,
} from './record.js';

const stamp = {
  v: 1,
  id: '01935a2b-0000-7000-8000-000000000001',
  device: 'a'.repeat(32),
  time: {
    wallMs: 1_763_769_600_000,
    source: 'system',
    utcOffsetMinutes: 480,
    monotonicNs: '1234',
    bootId: 'b',
  },
} as const;

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('"', '\\', '\n', '\u2028', '😀'),
);
const count = fc.nat();
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const event: fc.Arbitrary<RecordEvent> = fc.record(
  {
    kind: fc.constantFrom(...RECORD_KINDS),
    operation: fc.constantFrom(...OPERATIONS),
    user: fc.record({ uid: count, name: text }, { requiredKeys: ['uid'] }),
    session: text,
    application: fc.record(
      { id: text, path: text, digest: text, pid: count },
      { requiredKeys: [] },
    ),
    object: fc.record(
      { fileId: text, path: text, label: text, area: text, sizeBytes: count },
      { requiredKeys: [] },
    ),
    channel: text,
    destination: text,
    decision: fc.record(
      {
        verdict: fc.constantFrom('allow' as const, 'deny' as const, 'ask' as const),
        obligations: fc.array(text),
        ruleIds: fc.array(text),
        policyVersion: text,
      },
      { requiredKeys: ['verdict', 'obligations', 'ruleIds'] },
    ),
    outcome: fc.constantFrom(...OUTCOMES),
    details: fc.dictionary(text, fc.jsonValue()) as fc.Arbitrary<
      NonNullable<RecordEvent['details']>
    >,
  },
  { requiredKeys: ['kind'] },
);

function joined(value: RecordEvent, seq: number): string {
  const [before, after] = encodeAroundSequence(value, stamp);
  return `${before}${String(seq)}${after}`;
}

describe('encodeAroundSequence', () => {
  it('gives the canonical bytes of any event', () => {
    fc.assert(
      fc.property(event, fc.integer({ min: 1 }), (value, seq) => {
        const record: TrailRecord = { ...value, ...stamp, seq };
        expect(joined(value, seq)).toBe(encodeRecord(record));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    { id: 'integer-names', details: { '9': 1, '10': 2, a: 3 } },
    { id: 'proto-name', details: JSON.parse('{"__proto__":1,"b":2}') as Record<string, number> },
    { id: 'negative-zero', details: { n: -0 } },
    { id: 'large-number', details: { n: 1e21, m: 1e-7 } },
    { id: 'nested', details: { b: [{ z: 1, a: [null, true] }], a: { d: 1, c: 2 } } },
    { id: 'empty-objects', details: {} },
  ])('$id in the details', ({ details }) => {
    const value: RecordEvent = { kind: 'gap', details };
    expect(joined(value, 7)).toBe(encodeRecord({ ...value, ...stamp, seq: 7 }));
  });

  it.each([
    { id: 'high-surrogate', path: '/a\uD800b', want: '/a\uFFFDb' },
    { id: 'low-surrogate', path: '\uDC00', want: '\uFFFD' },
    { id: 'pair-stays', path: '😀', want: '😀' },
  ])('$id in a path', ({ path, want }) => {
    const body = joined({ kind: 'operation', operation: 'open', object: { path } }, 1);
    expect(JSON.parse(body)).toMatchObject({ object: { path: want } });
    expect(canonicalText(JSON.parse(body))).toBe(body);
  });

  it('keeps a line feed out of both parts', () => {
    const parts = encodeAroundSequence(
      { kind: 'gap', session: 'a\nb', details: { 'c\n': '\n' } },
      stamp,
    );
    expect(parts.join('')).not.toContain('\n');
  });

  it('refuses a number without a JSON form', () => {
    expect(() => encodeAroundSequence({ kind: 'gap', user: { uid: Number.NaN } }, stamp)).toThrow(
      TypeError,
    );
    expect(() => encodeAroundSequence({ kind: 'gap', details: { n: Infinity } }, stamp)).toThrow();
  });
});

describe('optional members', () => {
  it('leaves out what is undefined', () => {
    fc.assert(
      fc.property(optional(text), (session) => {
        const value = { kind: 'gap', session } as RecordEvent;
        expect(joined(value, 1).includes('"session"')).toBe(session !== undefined);
      }),
    );
  });
});
