import { describe, expect, it } from '@jest/globals';
import { shippedFiles } from '../../../test/support/policy-files.js';
import { POLICY_TOOLS } from '../../platform/policy-tools.js';
import { readPolicySet } from './read-policy-set.js';
import { runPolicyTests } from './run-tests.js';

const SETS = [
  { id: 'express-delivery', leastTests: 12 },
  { id: 'baseline', leastTests: 6 },
  { id: 'lab', leastTests: 4 },
];

describe.each(SETS)('policies/$id', ({ id, leastTests }) => {
  const read = readPolicySet(POLICY_TOOLS, shippedFiles(id), { allowLab: id === 'lab' });

  it('has neither errors nor warnings', () => {
    expect(read).toMatchObject({ ok: true, value: { warnings: [] } });
  });

  it('passes its own tests', () => {
    if (!read.ok) throw new Error(read.error.detail);
    const results = runPolicyTests(read.value.set);
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(leastTests);
  });

  it('has every rule decide in some test, so that no rule is there by accident', () => {
    if (!read.ok) throw new Error(read.error.detail);
    const decided = new Set(runPolicyTests(read.value.set).flatMap(({ got }) => got.ruleIds));
    expect(
      read.value.set.rules.map((rule) => rule.id).filter((rule) => !decided.has(rule)),
    ).toEqual([]);
  });
});

describe('the vocabulary', () => {
  it('is one schema in every shipped set', () => {
    const [first, ...others] = SETS.map(({ id }) => shippedFiles(id)['schema.cedarschema']);
    expect(others.every((schema) => schema === first)).toBe(true);
  });

  it('keeps the lab set from loading unasked', () => {
    const read = readPolicySet(POLICY_TOOLS, shippedFiles('lab'), { allowLab: false });
    expect(read).toMatchObject({ ok: false, error: { code: 'E_POLICY_LAB' } });
  });
});
