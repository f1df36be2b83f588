import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OPEN, smallSet } from '../../../test/support/policy-files.js';
import { decide } from './decide.js';
import { OPERATIONS, type PolicyRequest } from './vocabulary.js';

const RULES = `
@id("staff-open")
permit (principal in Group::"staff", action in [Action::"open", Action::"modify"], resource)
when { context has application && context.application.listed && resource.area == principal.area };

@id("night")
@obligation("notify:security")
@message_en("Closed at night.") @message_zh("夜间关闭。") @message_ja("夜間は閉じています。")
forbid (principal, action == Action::"open", resource)
when { context.hour >= 22 || context.hour < 6 };

@id("export-asks")
@obligation("justify, watermark")
@ask("approver:area,approver:security")
permit (principal in Group::"staff", action == Action::"export", resource);

@id("export-marked")
@obligation("watermark")
permit (principal in Group::"staff", action == Action::"export", resource)
when { resource.label == "public" };

@id("bulk")
forbid (principal, action == Action::"export", resource) when { context.count > 50 };

@id("overflowing")
forbid (principal, action == Action::"print", resource)
when { context.count * 4611686018427387904 > 5 };

@id("print")
permit (principal, action == Action::"print", resource);
`;

const SET = smallSet({ 'rules.cedar': RULES });

type Change = (request: PolicyRequest) => PolicyRequest;
const user =
  (change: Partial<PolicyRequest['user']>): Change =>
  (r) => ({ ...r, user: { ...r.user, ...change } });
const file =
  (change: Partial<NonNullable<PolicyRequest['file']>>): Change =>
  (r) => ({ ...r, file: { id: 'f', label: 'public', area: 'main', owner: null, ...change } });
const at =
  (change: Partial<PolicyRequest['situation']>): Change =>
  (r) => ({ ...r, situation: { ...r.situation, ...change } });
const exporting: Change = (r) => ({ ...r, operation: 'export' });

describe('decide', () => {
  it.each<{ id: string; change: Change; want: object }>([
    {
      id: 'staff-may-open',
      change: (r) => r,
      want: { verdict: 'allow', ruleIds: ['staff-open'], error: null },
    },
    {
      id: 'user-in-no-group',
      change: user({ groups: [] }),
      want: { verdict: 'deny', ruleIds: [], error: null },
    },
    {
      id: 'user-of-another-group',
      change: user({ groups: ['courier'] }),
      want: { verdict: 'deny', ruleIds: [] },
    },
    {
      id: 'group-name-with-quotes',
      change: user({ groups: ['staff" || true || "'] }),
      want: { verdict: 'deny', ruleIds: [] },
    },
    {
      id: 'user-called-like-a-group',
      change: user({ id: 'staff', groups: [] }),
      want: { verdict: 'deny' },
    },
    {
      id: 'unknown-application',
      change: (r) => ({ ...r, application: 'copied-editor' }),
      want: { verdict: 'deny', ruleIds: [], error: null },
    },
    {
      id: 'no-application',
      change: (r) => ({ ...r, application: null }),
      want: { verdict: 'deny', ruleIds: [], error: null },
    },
    {
      id: 'unknown-label',
      change: file({ label: 'top' }),
      want: { verdict: 'deny', error: { code: 'unknown-label' } },
    },
    {
      id: 'label-in-other-case',
      change: file({ label: 'PUBLIC' }),
      want: { verdict: 'deny', error: { code: 'unknown-label' } },
    },
    {
      id: 'label-of-the-prototype',
      change: file({ label: '__proto__' }),
      want: { verdict: 'deny', error: { code: 'unknown-label' } },
    },
    {
      id: 'area-of-another-department',
      change: file({ area: 'finance' }),
      want: { verdict: 'deny', ruleIds: [] },
    },
    {
      id: 'clock-at-night',
      change: at({ hour: 23 }),
      want: { verdict: 'deny', ruleIds: ['night'], obligations: ['notify:security'] },
    },
    {
      id: 'last-minute-of-the-night',
      change: at({ hour: 5 }),
      want: { verdict: 'deny', ruleIds: ['night'] },
    },
    {
      id: 'clock-of-no-day',
      change: at({ hour: Number.NaN }),
      want: { verdict: 'deny', error: { code: 'evaluation-failed' } },
    },
    {
      id: 'export-asks-both',
      change: exporting,
      want: {
        verdict: 'ask',
        asks: ['approver:area', 'approver:security'],
        obligations: ['justify', 'watermark'],
        ruleIds: ['export-asks', 'export-marked'],
      },
    },
    {
      id: 'one-approval-is-not-both',
      change: (r) => ({ ...exporting(r), approvals: ['approver:area'] }),
      want: { verdict: 'ask', asks: ['approver:security'] },
    },
    {
      id: 'approved',
      change: (r) => ({ ...exporting(r), approvals: ['approver:area', 'approver:security'] }),
      want: { verdict: 'allow', asks: [], obligations: ['justify', 'watermark'] },
    },
    {
      id: 'bulk-beats-approval',
      change: (r) =>
        at({ count: 500 })({ ...exporting(r), approvals: ['approver:area', 'approver:security'] }),
      want: { verdict: 'deny', ruleIds: ['bulk'] },
    },
    {
      id: 'failing-forbid-is-no-permit',
      change: (r) => at({ count: 3 })({ ...r, operation: 'print' }),
      want: { verdict: 'deny', ruleIds: [], error: { code: 'evaluation-failed' } },
    },
    {
      id: 'open-without-a-file',
      change: (r) => ({ ...r, file: null }),
      want: { verdict: 'deny', error: { code: 'incomplete-request' } },
    },
    {
      id: 'relabel-to-nowhere',
      change: (r) => ({ ...r, operation: 'relabel', toLabel: 'top' }),
      want: { verdict: 'deny', error: { code: 'unknown-target-label' } },
    },
    {
      id: 'operation-without-rule',
      change: (r) => ({ ...r, operation: 'destroy' }),
      want: { verdict: 'deny', ruleIds: [], error: null },
    },
    {
      id: 'half-a-character',
      change: user({ area: '\ud800', groups: ['\ud800'] }),
      want: { verdict: 'deny', error: { code: 'evaluation-failed' } },
    },
  ])('$id', ({ change, want }) => {
    expect(decide(SET, change(OPEN))).toMatchObject({ policyVersion: SET.version, ...want });
  });

  it('says why in three languages', () => {
    const { messages } = decide(SET, at({ hour: 2 })(OPEN));
    expect(messages).toEqual({
      en: 'Closed at night.',
      zh: '夜间关闭。',
      ja: '夜間は閉じています。',
    });
  });

  it('goes on deciding after the engine has thrown', () => {
    decide(SET, user({ groups: ['\ud800'] })(OPEN));
    expect(decide(SET, OPEN).verdict).toBe('allow');
  });

  it('has an answer for every request', () => {
    const text = fc.string({ unit: 'binary' });
    const request: fc.Arbitrary<PolicyRequest> = fc.record({
      operation: fc.constantFrom(...OPERATIONS),
      user: fc.record({
        id: text,
        groups: fc.array(text),
        area: text,
        roles: fc.array(text),
        clearance: text,
      }),
      device: fc.record({ id: text, area: text, compliant: fc.boolean() }),
      application: fc.option(fc.oneof(text, fc.constant('editor'))),
      file: fc.option(
        fc.record({
          id: text,
          label: fc.oneof(text, fc.constantFrom('public', 'secret')),
          area: text,
          owner: fc.option(text),
        }),
      ),
      destination: fc.option(
        fc.record({
          id: text,
          kind: fc.constantFrom('printer', 'removable'),
          area: text,
          domain: text,
          trusted: fc.boolean(),
        }),
      ),
      toLabel: fc.option(fc.oneof(text, fc.constant('public'))),
      situation: fc.record({
        hour: fc.double(),
        weekday: fc.integer(),
        offline: fc.boolean(),
        justified: fc.boolean(),
        count: fc.oneof(fc.double(), fc.nat()),
        bytes: fc.double(),
        people: fc.nat(),
        findings: fc.array(text),
        session: text,
      }),
      approvals: fc.array(text),
    });
    fc.assert(
      fc.property(request, (any) => {
        const { verdict, ruleIds, error } = decide(SET, any);
        // Never an allow without a rule that says so, never an error that is no deny.
        return (verdict === 'deny' || ruleIds.length > 0) && (error === null || verdict === 'deny');
      }),
      { numRuns: 300 },
    );
  });
});
