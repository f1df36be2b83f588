import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  problemsOf,
  SMALL_FILES,
  smallSet,
  type FileChanges,
} from '../../../test/support/policy-files.js';

const rule = (annotations: string, body = 'permit (principal, action, resource);') =>
  `${annotations}\n${body}\n`;

function changed(name: string, from: string, to: string): FileChanges {
  const text = SMALL_FILES[name] ?? '';
  if (!text.includes(from)) throw new Error(`${name} has no "${from}"`);
  return { [name]: text.replace(from, to) };
}

describe('readPolicySet', () => {
  it.each<{ id: string; files: FileChanges; want: RegExp }>([
    {
      id: 'unknown-key',
      files: changed('labels.yaml', 'barrier: true', 'barier: true'),
      want: /labels\.yaml:3:\d+: unknown key "barier" in labels\[1\] \(known here: name, title, personal, sensitivePersonal, barrier, recordSealedOpens\)/u,
    },
    {
      id: 'unknown-key-at-the-top',
      files: { 'detectors.yaml': 'use: []\nusage: []\n' },
      want: /detectors\.yaml:2:1: unknown key "usage" in the file \(known here: use, patterns, severity, raise\)/u,
    },
    {
      id: 'wrong-type',
      files: { 'detectors.yaml': 'use: [mobile]\nseverity:\n  medium: many\n' },
      want: /detectors\.yaml:3:11: severity\.medium: .*expected number/u,
    },
    {
      id: 'key-twice',
      files: { 'detectors.yaml': 'use: []\nuse: []\n' },
      want: /detectors\.yaml:2:1: .*unique/u,
    },
    {
      id: 'yaml-syntax',
      files: { 'folders.yaml': 'default: { label: public, area: @user }\n' },
      want: /folders\.yaml:1:\d+: /u,
    },
    {
      id: 'yaml-tag',
      files: { 'detectors.yaml': 'use: !!js/function []\n' },
      want: /detectors\.yaml:1:\d+: .*tag/u,
    },
    {
      id: 'key-that-is-no-text',
      files: { 'detectors.yaml': '? [a]\n: 1\n' },
      want: /detectors\.yaml:1:\d+: a key must be text/u,
    },
    {
      id: 'proto-key',
      files: { 'detectors.yaml': '__proto__: { use: [] }\n' },
      want: /detectors\.yaml:1:1: unknown key "__proto__"/u,
    },
    {
      id: 'empty-file',
      files: { 'labels.yaml': '' },
      want: /labels\.yaml:1:1: the file: .*expected object/u,
    },
    {
      id: 'file-missing',
      files: { 'labels.yaml': null },
      want: /labels\.yaml: the file is missing/u,
    },
    {
      id: 'file-of-another-name',
      files: { 'label.yaml': '' },
      want: /label\.yaml: is no file of a policy set/u,
    },
    {
      id: 'no-labels',
      files: { 'labels.yaml': 'labels: []\n' },
      want: /labels\.yaml:1:9: labels: needs at least one label/u,
    },
    {
      id: 'label-twice',
      files: changed('labels.yaml', 'name: secret', 'name: public'),
      want: /labels\.yaml:3:\d+: label "public" is there twice/u,
    },
    {
      id: 'label-unknown-to-folders',
      files: { 'folders.yaml': 'default: { label: internal, area: main }\n' },
      want: /folders\.yaml:1:19: unknown label "internal" \(known: public, secret\)/u,
    },
    {
      id: 'every-name-excluded',
      files: { 'folders.yaml': "default: { label: public, area: main }\nexcludedNames: ['*']\n" },
      want: /folders\.yaml:2:\d+: excludedNames\[0\]: must not match every name/u,
    },
    {
      id: 'any-program-outside-a-lab',
      files: changed('applications.yaml', '[{ path: /usr/bin/editor, owner: root }]', "'*'"),
      want: /applications\.yaml:5:\d+: application "editor" gives every program the plain view \(only a set with lab: true/u,
    },
    {
      id: 'executable-without-trust',
      files: changed('applications.yaml', ', owner: root', ''),
      want: /applications\.yaml:5:\d+: applications\[0\]\.executables\[0\]/u,
    },
    {
      id: 'executable-with-dots',
      files: changed(
        'applications.yaml',
        '{ path: /usr/bin/editor',
        '{ path: /usr/bin/../../tmp/editor',
      ),
      want: /applications\.yaml:5:\d+: .*absolute path without/u,
    },
    {
      id: 'digest-of-wrong-length',
      files: changed('applications.yaml', 'owner: root', 'digest: sha256:00'),
      want: /applications\.yaml:5:\d+: .*64 hex digits/u,
    },
    {
      id: 'open-command-without-file',
      files: {
        'applications.yaml': `${SMALL_FILES['applications.yaml'] ?? ''}    openCommand: [/usr/bin/editor]\n`,
      },
      want: /applications\.yaml:6:\d+: the open command does not name the file/u,
    },
    {
      id: 'detector-not-in-use',
      files: { 'detectors.yaml': 'use: [mobile]\nraise: [{ anyOf: [address], label: secret }]\n' },
      want: /detectors\.yaml:2:19: detector "address" is not in use/u,
    },
    {
      id: 'policy-syntax',
      files: {
        'rules.cedar':
          '// 规则\n@id("a")\npermit (principal, action, resource)\nwhen { context.hour < };\n',
      },
      want: /rules\.cedar:4:23: unexpected token `\}`/u,
    },
    {
      id: 'policy-without-end',
      files: { 'rules.cedar': rule('@id("a")', 'permit (principal, action, resource)') },
      want: /rules\.cedar:\d+:\d+: .*\(a policy ends with ;\)/u,
    },
    {
      id: 'policy-without-id',
      files: { 'rules.cedar': rule('') },
      want: /rules\.cedar:2:1: the policy has no @id/u,
    },
    {
      id: 'id-with-blanks',
      files: { 'rules.cedar': rule('@id("a rule")') },
      want: /rules\.cedar:1:1: @id\("a rule"\) is not a rule id/u,
    },
    {
      id: 'same-id-twice',
      files: { 'more.cedar': rule('@id("staff-open")') },
      want: /rules\.cedar:1:1: @id\("staff-open"\) is used twice \(first at more\.cedar:1|more\.cedar:1:1: @id\("staff-open"\) is used twice \(first at rules\.cedar:1/u,
    },
    {
      id: 'unknown-annotation',
      files: { 'rules.cedar': rule('@id("a") @obligatoin("watermark")') },
      want: /unknown annotation @obligatoin \(known: @id, @obligation, @ask/u,
    },
    {
      id: 'malformed-obligation',
      files: { 'rules.cedar': rule('@id("a") @obligation("watermark;justify")') },
      want: /rules\.cedar:1:1: @obligation: "watermark;justify" means nothing \(one of: watermark, justify/u,
    },
    {
      id: 'empty-obligation',
      files: { 'rules.cedar': rule('@id("a") @obligation("")') },
      want: /@obligation: "" means nothing/u,
    },
    {
      id: 'ask-without-whom',
      files: { 'rules.cedar': rule('@id("a") @ask("approver")') },
      want: /@ask: "approver" means nothing/u,
    },
    {
      id: 'ask-on-a-forbid',
      files: {
        'rules.cedar': rule(
          '@id("a") @ask("approver:area")',
          'forbid (principal, action, resource);',
        ),
      },
      want: /rule a: @ask on a forbid has no effect/u,
    },
    {
      id: 'message-in-one-language',
      files: { 'rules.cedar': rule('@id("a") @message_en("No.")') },
      want: /@message_zh is missing[^]*@message_ja is missing/u,
    },
    {
      id: 'message-key-with-a-dot',
      files: { 'rules.cedar': rule('@id("a") @message.en("No.")') },
      want: /rules\.cedar:1:\d+: unexpected token `\.`/u,
    },
    {
      id: 'unknown-attribute',
      files: {
        'rules.cedar': rule(
          '@id("a")',
          'permit (principal, action == Action::"open", resource)\nwhen { context.hours > 3 };',
        ),
      },
      want: /rules\.cedar:3:\d+: .*`hours`.*\(did you mean `hour`\?\)/u,
    },
    {
      id: 'unknown-action',
      files: {
        'rules.cedar': rule('@id("a")', 'permit (principal, action == Action::"opne", resource);'),
      },
      want: /rules\.cedar:2:\d+: .*unrecognized action/u,
    },
    {
      id: 'optional-fact-unguarded',
      files: {
        'rules.cedar': rule(
          '@id("a")',
          'permit (principal, action == Action::"open", resource)\nwhen { context.application.listed };',
        ),
      },
      want: /rules\.cedar:3:\d+: .*application/u,
    },
    {
      id: 'template',
      files: {
        'rules.cedar': rule('@id("a")', 'permit (principal == ?principal, action, resource);'),
      },
      want: /rules\.cedar:2:\d+: .*template/u,
    },
    { id: 'no-rules', files: { 'rules.cedar': null }, want: /\*\.cedar: the set has no rules/u },
    {
      id: 'schema-syntax',
      files: { 'schema.cedarschema': 'entity User;\nentity' },
      want: /schema\.cedarschema:2:\d+: /u,
    },
    {
      id: 'schema-of-another-product',
      files: {
        'schema.cedarschema':
          'entity User; entity File;\naction open appliesTo { principal: User, resource: File };',
        'rules.cedar': rule('@id("a")'),
      },
      want: /schema\.cedarschema: the schema does not take the product's run request/u,
    },
    {
      id: 'test-with-unknown-key',
      files: changed('tests.yaml', 'verdict: allow', 'verdict: allow, rule: [a]'),
      want: /tests\.yaml:4:\d+: unknown key "rule" in tests\[0\]\.expect \(known here: verdict, obligations, rules, error\)/u,
    },
  ])('$id', ({ files, want }) => {
    const problems = problemsOf(files);
    expect(problems).toMatch(/^E_POLICY_INVALID\n/u);
    expect(problems).toMatch(want);
  });

  it('reports the errors of several files at once', () => {
    const problems = problemsOf({
      ...changed('labels.yaml', 'barrier: true', 'barier: true'),
      'rules.cedar': `${rule('')}${rule('@id("b") @ask("x")')}`,
    });
    expect(problems.split('\n')).toHaveLength(4);
  });

  it('refuses a lab set unless it was asked for', () => {
    const lab = { 'set.yaml': `${SMALL_FILES['set.yaml'] ?? ''}lab: true\n` };
    expect(problemsOf(lab, false)).toMatch(/^E_POLICY_LAB\n/u);
    expect(problemsOf(lab, true)).toBe('');
  });

  it('refuses a set of more than four mebibytes unread', () => {
    expect(problemsOf({ 'rules.cedar': '// 大\n'.repeat(800_000) })).toMatch(
      /^E_POLICY_TOO_LARGE\n/u,
    );
  });

  it('refuses an alias bomb', () => {
    const rows = Array.from(
      { length: 9 },
      (_, i) =>
        `a${String(i + 1)}: &a${String(i + 1)} [${Array(9)
          .fill(`*a${String(i)}`)
          .join(', ')}]`,
    );
    expect(problemsOf({ 'detectors.yaml': ['a0: &a0 [x]', ...rows].join('\n') })).toMatch(
      /detectors\.yaml: too many aliases/u,
    );
  });

  it('refuses nesting without end', () => {
    expect(problemsOf({ 'detectors.yaml': `use: ${'['.repeat(50_000)}` })).toMatch(
      /^E_POLICY_INVALID\ndetectors\.yaml/u,
    );
  });

  it('never throws, whatever a file holds', () => {
    const names = Object.keys(SMALL_FILES);
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.string({ unit: 'binary', maxLength: 300 }),
        (name, text) => {
          expect(typeof problemsOf({ [name]: text })).toBe('string');
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives the same contents the same version, and others another', () => {
    const version = smallSet().version;
    expect(smallSet().version).toBe(version);
    expect(smallSet({ 'rules.cedar': `${SMALL_FILES['rules.cedar'] ?? ''}\n` }).version).not.toBe(
      version,
    );
    expect(version).toMatch(/^[0-9a-f]{64}$/u);
  });
});
