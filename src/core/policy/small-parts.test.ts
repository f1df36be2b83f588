import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { splitPolicies } from './cedar-source.js';
import { assignFolder } from './folders-file.js';
import { parseAsk, parseObligations } from './obligations.js';
import { matchesPattern } from './path-pattern.js';
import { entityKey, mayApply, mentionsOf } from './rule-mentions.js';
import { lineColumn, utf16Offset, utf8Bytes } from './source-text.js';
import { POLICY_TOOLS } from '../../platform/policy-tools.js';
import { OPERATIONS } from './vocabulary.js';
import { userFacts } from './users-file.js';

describe('matchesPattern', () => {
  it.each([
    { id: 'lock-file', pattern: '.~lock.*#', text: '.~lock.运单.xlsx#', want: true },
    { id: 'lock-file-with-more', pattern: '.~lock.*#', text: '.~lock.a.xlsx#.docx', want: false },
    { id: 'owner-file', pattern: '~$*', text: '~$report.docx', want: true },
    {
      id: 'star-stops-at-slash',
      pattern: '/home/*/Waybills',
      text: '/home/a/b/Waybills',
      want: false,
    },
    { id: 'two-stars-do-not', pattern: '**/Waybills', text: '/home/a/b/Waybills', want: true },
    { id: 'one-character', pattern: 'a?c', text: 'a运c', want: true },
    { id: 'question-is-not-a-slash', pattern: 'a?c', text: 'a/c', want: false },
    { id: 'brackets-are-letters', pattern: '[ab]', text: 'a', want: false },
    { id: 'dot-is-a-letter', pattern: 'a.c', text: 'abc', want: false },
    { id: 'empty', pattern: '', text: '', want: true },
  ])('$id', ({ pattern, text, want }) => {
    expect(matchesPattern(pattern, text)).toBe(want);
  });

  it('cannot be made to hang', () => {
    expect(matchesPattern('*a'.repeat(100), 'a'.repeat(2000) + 'b')).toBe(false);
  });
});

describe('source places', () => {
  it('counts bytes as UTF-8 does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(utf8Bytes(text)).toBe(Buffer.byteLength(text));
        expect(utf16Offset(text, Buffer.byteLength(text))).toBe(text.length);
      }),
    );
  });

  it('counts lines and characters', () => {
    expect(lineColumn('甲乙\n𠮷b', 5)).toEqual({ line: 2, column: 2 });
  });
});

describe('splitPolicies', () => {
  it('is not misled by strings and comments', () => {
    const text = '// a; b\npermit(a) when {"x;\\";" == "//"}; // c;\nforbid(b);\n// end';
    expect(splitPolicies('f', text)).toEqual([
      { file: 'f', offset: 8, text: 'permit(a) when {"x;\\";" == "//"};', terminated: true },
      { file: 'f', offset: text.indexOf('forbid'), text: 'forbid(b);', terminated: true },
    ]);
  });

  it('keeps every character that is no blank and no comment', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('permit', ' ', '\n', '"', '\\', ';', '//', 'x')),
        (parts) => {
          const text = parts.join('');
          const policies = splitPolicies('f', text);
          expect(
            policies.every((p) => text.slice(p.offset, p.offset + p.text.length) === p.text),
          ).toBe(true);
        },
      ),
    );
  });
});

describe('obligations', () => {
  it.each([
    {
      id: 'two',
      parsed: parseObligations('watermark, justify'),
      want: { ok: true, values: ['watermark', 'justify'] },
    },
    { id: 'size', parsed: parseObligations('max-bytes:2000'), want: { ok: true } },
    {
      id: 'no-size',
      parsed: parseObligations('max-bytes:0'),
      want: { ok: false, wrong: 'max-bytes:0' },
    },
    {
      id: 'trailing-comma',
      parsed: parseObligations('watermark,'),
      want: { ok: false, wrong: '' },
    },
    { id: 'other-case', parsed: parseObligations('Watermark'), want: { ok: false } },
    { id: 'line-break', parsed: parseObligations('notify:a\nb'), want: { ok: false } },
    { id: 'ask', parsed: parseAsk('four-eyes:area'), want: { ok: true } },
    { id: 'obligation-as-ask', parsed: parseAsk('watermark'), want: { ok: false } },
  ])('$id', ({ parsed, want }) => {
    expect(parsed).toMatchObject(want);
  });
});

describe('mentions', () => {
  function mentions(policy: string) {
    const parsed = POLICY_TOOLS.cedar.policyToJson(policy);
    if (parsed.type === 'failure') throw new Error(parsed.errors[0]?.message);
    return { ...mentionsOf([parsed.json]), json: parsed.json };
  }

  it('finds attributes, entities and presence tests', () => {
    const found = mentions(
      'permit (principal in Group::"g", action, resource) when { context has destination.kind && resource["area"] == "x" && principal == User::"u" };',
    );
    expect([...found.attributes].sort()).toEqual(['area', 'destination', 'kind']);
    expect([...found.entities]).toEqual([entityKey({ type: 'Group', id: 'g' }), 'User::u']);
    expect(found.wholeContext).toBe(false);
  });

  it('sees the context used as a whole', () => {
    expect(
      mentions('permit (principal, action, resource) when { [context].contains(context) };')
        .wholeContext,
    ).toBe(true);
  });

  it('looks into a record literal whose field is called has', () => {
    const found = mentions(
      'permit (principal, action, resource) when { {"has": context.hour} == {"has": 3} };',
    );
    expect([...found.attributes]).toEqual(['hour']);
  });

  it.each([
    { id: 'equal', scope: 'action == Action::"open"', open: true, print: false },
    {
      id: 'in-list',
      scope: 'action in [Action::"print", Action::"open"]',
      open: true,
      print: true,
    },
    { id: 'any', scope: 'action', open: true, print: true },
    { id: 'group-of-actions', scope: 'action in Action::"outbound"', open: true, print: true },
  ])('scope-$id', ({ scope, open, print }) => {
    const { json } = mentions(`permit (principal, ${scope}, resource);`);
    expect([mayApply(json, 'open', OPERATIONS), mayApply(json, 'print', OPERATIONS)]).toEqual([
      open,
      print,
    ]);
  });
});

describe('users and folders', () => {
  const person = { groups: ['staff'], area: 'main', roles: [], clearance: 'public' };

  it('gives an unlisted user the default, and nothing where there is none', () => {
    expect(userFacts({ default: person, users: {} }, 'a')).toEqual({ id: 'a', ...person });
    expect(userFacts({ default: null, users: {} }, 'a').groups).toEqual([]);
  });

  it('is not misled by a user called constructor', () => {
    expect(userFacts({ default: null, users: {} }, 'constructor').groups).toEqual([]);
  });

  it('assigns a folder by the first rule that matches', () => {
    const file = {
      default: { label: 'internal', area: '@user' },
      rules: [{ path: '**/Payroll', label: 'restricted', area: 'finance' }],
      excludedNames: [],
    };
    expect(assignFolder(file, '/srv/Payroll', 'main')).toEqual({
      label: 'restricted',
      area: 'finance',
    });
    expect(assignFolder(file, '/srv/other', 'main')).toEqual({ label: 'internal', area: 'main' });
  });
});
