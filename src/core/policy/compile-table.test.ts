import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OPEN, shippedFiles, smallSet } from '../../../test/support/policy-files.js';
import { POLICY_TOOLS } from '../../platform/policy-tools.js';
import { compileTable, type TableInput } from './compile-table.js';
import { decide } from './decide.js';
import { readPolicySet } from './read-policy-set.js';
import type { TableUser } from './table-classes.js';
import type { LocalTime } from './next-change.js';
import { lookUp } from './verdict-table.js';

const UTC: LocalTime = (ms) => ({
  hour: new Date(ms).getUTCHours(),
  weekday: new Date(ms).getUTCDay() || 7,
});
/** A Wednesday. */
const NOON = Date.UTC(2026, 10, 18, 12, 20);
const WINDOW = { count: 1, bytes: 0 };

function express(): TableInput['set'] {
  const read = readPolicySet(POLICY_TOOLS, shippedFiles('express-delivery'), { allowLab: false });
  if (!read.ok) throw new Error(read.error.detail);
  return read.value.set;
}

const EXPRESS = express();
const GROUPS = ['courier', 'outlet-staff', 'customer-service', 'finance', 'it'];
const AREAS = ['main', 'finance', 'outlet-7'];
const USERS: readonly TableUser[] = Array.from({ length: 20 }, (_, i) => ({
  uid: 1000 + i,
  window: WINDOW,
  facts: {
    id: `u${String(i)}`,
    groups: [GROUPS[i % 5] ?? ''],
    area: AREAS[i % 3] ?? '',
    roles: i % 2 === 0 ? ['manager'] : [],
    clearance: i % 4 === 0 ? 'restricted' : 'confidential',
  },
}));

function input(change: Partial<TableInput> = {}): TableInput {
  return {
    set: EXPRESS,
    users: USERS,
    areas: AREAS,
    executables: [],
    device: { id: 'd', area: 'main', compliant: true },
    offline: false,
    nowMs: NOON,
    localTime: UTC,
    ...change,
  };
}

describe('compileTable', () => {
  const base = input();
  const { table, cost, faults } = compileTable(base);

  it('answers every case as Cedar does when asked alone', () => {
    const cases = fc.record({
      user: fc.constantFrom(...USERS),
      application: fc.constantFrom(...base.set.applications.applications.map(({ id }) => id)),
      label: fc.constantFrom(...base.set.labels.map(({ name }) => name)),
      area: fc.constantFrom(...AREAS),
      operation: fc.constantFrom('open' as const, 'modify' as const),
    });
    fc.assert(
      fc.property(cases, ({ user, application, label, area, operation }) => {
        if (typeof user.uid !== 'number') return false;
        const row = lookUp(table, user.uid, application, label, area);
        const alone = decide(base.set, {
          ...OPEN,
          operation,
          application,
          user: user.facts,
          device: base.device,
          file: { id: 'f', label, area, owner: null },
          situation: { ...OPEN.situation, ...UTC(NOON) },
        });
        return row !== null && row[operation] === (alone.verdict === 'allow' ? 'allow' : 'deny');
      }),
      { numRuns: 150 },
    );
  });

  it('knows nothing of other people, areas, applications and labels', () => {
    expect([
      lookUp(table, 4711, 'libreoffice', 'internal', 'main'),
      lookUp(table, 1000, 'libreoffice', 'internal', 'outlet-8'),
      lookUp(table, 1000, 'copied', 'internal', 'main'),
      lookUp(table, 1000, 'libreoffice', 'top', 'main'),
    ]).toEqual([null, null, null, null]);
  });

  it('changes when the night begins', () => {
    const few = compileTable(input({ users: USERS.slice(0, 4) }));
    expect(few.table.nextChangeAtMs).toBe(Date.UTC(2026, 10, 18, 23));
    expect(faults).toEqual([]);
  });

  it('changes when the night ends', () => {
    const nowMs = Date.UTC(2026, 10, 18, 23, 59);
    const night = compileTable(input({ nowMs, users: USERS.slice(0, 4) }));
    expect(night.table.nextChangeAtMs).toBe(Date.UTC(2026, 10, 19, 5));
  });

  it('gives the next hour when looking further would cost too much', () => {
    const atMs = table.nextChangeAtMs ?? 0;
    expect(atMs).toBeGreaterThan(NOON);
    expect(atMs).toBeLessThanOrEqual(Date.UTC(2026, 10, 18, 23));
  });

  it('carries what sealfs must know of labels', () => {
    expect(table.labels.filter(({ barrier }) => barrier)).toEqual([
      { name: 'restricted', level: 3, barrier: true, recordSealedOpens: true },
    ]);
  });

  it('asks once for all that no rule can tell apart', () => {
    expect(cost).toMatchObject({ applicationClasses: 1, areas: 3 });
    expect(cost.rows).toBe(20 * base.set.applications.applications.length * 4 * 3);
  });

  it('compiles 200 users, 50 applications and 4 labels out of few evaluations', () => {
    const one = base.set.applications.applications.slice(0, 1);
    const applications = Array.from({ length: 50 }, (_, i) =>
      one.map((a) => ({ ...a, id: `a${String(i)}` })),
    ).flat();
    const byId = new Map(applications.map((a) => [a.id, a]));
    const set = {
      ...base.set,
      applications: { applications },
      application: (id: string) => byId.get(id) ?? null,
    };
    const users = Array.from({ length: 200 }, (_, i) =>
      USERS.slice(i % 20, (i % 20) + 1).map((u) => ({ ...u, uid: 2000 + i })),
    ).flat();
    const big = compileTable(input({ set, users, areas: ['main'] }));
    expect(big.cost.rows).toBe(200 * 50 * 4);
    expect(big.cost.evaluations).toBeLessThan(3000);
  });
});

describe('time', () => {
  const rule = (condition: string) =>
    smallSet({
      'rules.cedar': `@id("a")\npermit (principal in Group::"staff", action == Action::"open", resource) when { ${condition} };\n`,
    });
  const one: TableUser = { uid: '*', facts: OPEN.user, window: WINDOW };

  it.each([
    { id: 'no-clock', condition: 'true', want: null },
    { id: 'weekend', condition: 'context.weekday <= 5', want: Date.UTC(2026, 10, 21) },
    { id: 'always-true-hour', condition: 'context.hour >= 0', want: null },
    {
      id: 'friday-evening',
      condition: 'context.weekday < 5 || context.hour < 18',
      want: Date.UTC(2026, 10, 20, 18),
    },
  ])('$id', ({ condition, want }) => {
    const { table } = compileTable(input({ set: rule(condition), users: [one] }));
    expect(table.nextChangeAtMs).toBe(want);
  });

  it('keeps half-hour zones', () => {
    const india: LocalTime = (ms) => UTC(ms + 5.5 * 3_600_000);
    const { table } = compileTable(
      input({ set: rule('context.hour < 20'), users: [one], localTime: india }),
    );
    expect(table.nextChangeAtMs).toBe(Date.UTC(2026, 10, 18, 14, 30));
  });

  it('gives a person named by a rule a class of its own', () => {
    const set = rule('principal == User::"boss"');
    const boss: TableUser = { uid: 1, facts: { ...OPEN.user, id: 'boss' }, window: WINDOW };
    const { table } = compileTable(input({ set, users: [one, boss] }));
    expect([
      lookUp(table, 1, 'editor', 'public', 'any')?.open,
      lookUp(table, 2, 'editor', 'public', 'any')?.open,
    ]).toEqual(['allow', 'deny']);
  });

  it('has no row for an area that nobody evaluated', () => {
    const set = rule('resource.area != "finance"');
    const { table } = compileTable(input({ set, users: [one], areas: ['main'] }));
    expect(lookUp(table, 5, 'editor', 'public', 'finance')).toBeNull();
  });

  it('takes an ask for a deny', () => {
    const set = smallSet({
      'rules.cedar': '@id("a") @ask("approver:area")\npermit (principal, action, resource);\n',
    });
    const { table } = compileTable(input({ set, users: [one] }));
    expect(lookUp(table, 5, 'editor', 'public', 'main')?.open).toBe('deny');
  });

  it('lists evaluation errors, as denies', () => {
    const set = rule('context.count * 9223372036854775807 > 0');
    const two: TableUser = { ...one, window: { count: 2, bytes: 0 } };
    const { table, faults } = compileTable(input({ set, users: [two] }));
    expect(table.rows.every(({ open }) => open === 'deny')).toBe(true);
    expect(faults.join()).toMatch(/evaluation-failed: rule a/u);
  });
});
