import { describe, expect, it } from '@jest/globals';
import { OPEN, smallSet } from '../../../test/support/policy-files.js';
import { POLICY_TOOLS } from '../../platform/policy-tools.js';
import { explain } from './explain.js';
import { explanationLines } from './explain-text.js';
import { LANGUAGES, type PolicyRequest } from './vocabulary.js';

const SET = smallSet({
  'rules.cedar': `
@id("staff-open")
permit (principal in Group::"staff", action == Action::"open", resource)
when { resource.level < 1 && resource.area == principal.area }
unless { context.offline };

@id("night")
@message_en("Closed at night.") @message_zh("夜间关闭。") @message_ja("夜間は閉じています。")
forbid (principal, action == Action::"open", resource) when { context.hour < 6 };
`,
});

function lines(request: PolicyRequest): string {
  return explanationLines(explain(POLICY_TOOLS, SET, request), SET, 'en').join('\n');
}

const other = (area: string): PolicyRequest['file'] => ({
  id: 'f',
  label: 'public',
  area,
  owner: null,
});

describe('explain', () => {
  it.each<{ id: string; request: PolicyRequest; want: RegExp }>([
    {
      id: 'allowed',
      request: OPEN,
      want: /^Allowed\.\nRule staff-open \(rules\.cedar:2\) permits it\.\nPolicy set small [0-9a-f]{12}\.$/u,
    },
    {
      id: 'not-in-the-group',
      request: { ...OPEN, user: { ...OPEN.user, groups: [] } },
      want: /No rule permits it[^]*Rule staff-open does not apply, since this is not so: principal in Group::"staff"/u,
    },
    {
      id: 'first-false-conjunct',
      request: { ...OPEN, file: other('finance') },
      want: /this is not so: resource\.area == principal\.area/u,
    },
    {
      id: 'level-is-asked-first',
      request: { ...OPEN, file: { id: 'f', label: 'secret', area: 'finance', owner: null } },
      want: /this is not so: resource\.level < 1/u,
    },
    {
      id: 'unless',
      request: { ...OPEN, situation: { ...OPEN.situation, offline: true } },
      want: /this is not so: unless context\.offline/u,
    },
    {
      id: 'forbidden',
      request: { ...OPEN, situation: { ...OPEN.situation, hour: 3 } },
      want: /^Denied\.\nClosed at night\.\nRule night \(rules\.cedar:7\) forbids it\.\nRule staff-open would permit it, but a forbid always wins\./u,
    },
    {
      id: 'unknown-label',
      request: { ...OPEN, file: { id: 'f', label: 'top', area: 'main', owner: null } },
      want: /The rules could not be asked, which is a deny: unknown-label: no label "top"/u,
    },
  ])('$id', ({ request, want }) => {
    expect(lines(request)).toMatch(want);
  });

  it.each(LANGUAGES.map((id) => ({ id })))('speaks $id', ({ id }) => {
    const explanation = explain(POLICY_TOOLS, SET, { ...OPEN, user: { ...OPEN.user, groups: [] } });
    const text = explanationLines(explanation, SET, id).join('');
    expect({ en: /Denied/u, zh: /拒绝/u, ja: /拒否/u }[id].test(text)).toBe(true);
  });
});
