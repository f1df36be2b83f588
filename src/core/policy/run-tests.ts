/**
 * Runs the tests that a policy set brings with it.
 *
 * Layer: core. Spec: docs/spec/policy-set-v1.md, section 6.
 */
import { decide } from './decide.js';
import type { Decision } from './decision.js';
import type { PolicySet } from './policy-set.js';
import { toRequest, type Expectation, type PolicyTest } from './tests-file.js';

export interface PolicyTestResult {
  readonly name: string;
  readonly passed: boolean;
  readonly expected: Expectation;
  readonly got: Decision;
  /** What differs, in words; empty when passed. */
  readonly differences: readonly string[];
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return [...new Set(a)].sort().join('\n') === [...new Set(b)].sort().join('\n');
}

function list(values: readonly string[]): string {
  return values.length === 0 ? 'none' : values.join(', ');
}

function compare(expected: Expectation, got: Decision): readonly string[] {
  const differences: string[] = [];
  if (got.verdict !== expected.verdict) {
    differences.push(`verdict: expected ${expected.verdict}, got ${got.verdict}`);
  }
  if (expected.obligations !== undefined && !sameSet(expected.obligations, got.obligations)) {
    differences.push(
      `obligations: expected ${list(expected.obligations)}, got ${list(got.obligations)}`,
    );
  }
  if (expected.rules !== undefined && !sameSet(expected.rules, got.ruleIds)) {
    differences.push(`rules: expected ${list(expected.rules)}, got ${list(got.ruleIds)}`);
  }
  // A deny out of an error must never pass for a deny by rule.
  if (expected.error !== got.error?.code) {
    differences.push(
      `error: expected ${expected.error ?? 'none'}, got ${got.error === null ? 'none' : `${got.error.code} (${got.error.detail})`}`,
    );
  }
  return differences;
}

function runTest(set: PolicySet, test: PolicyTest): PolicyTestResult {
  const got = decide(set, toRequest(set.users, test.request));
  const differences = compare(test.expect, got);
  return {
    name: test.name,
    passed: differences.length === 0,
    expected: test.expect,
    got,
    differences,
  };
}

/** Every test of the set, in file order. */
export function runPolicyTests(set: PolicySet): readonly PolicyTestResult[] {
  return set.tests.tests.map((test) => runTest(set, test));
}
