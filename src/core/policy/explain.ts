/**
 * Explains a decision: which rules, why, and why not the others.
 *
 * Layer: core. Spec: docs/spec/policy-set-v1.md, section 8. Needs no running agent.
 * Not here: the sentences (`explain-text.ts`).
 */
import type { PolicyTools } from './cedar-engine.js';
import { decide } from './decide.js';
import type { Decision } from './decision.js';
import { failedCondition } from './failed-condition.js';
import type { PolicySet } from './policy-set.js';
import { cedarCall } from './request-entities.js';
import type { Rule } from './rule.js';
import type { PolicyRequest } from './vocabulary.js';

/** A rule that was looked at. */
export interface ExplainedRule {
  readonly rule: Rule;
  /** It is one of those that decided. */
  readonly decided: boolean;
  /** Its first part that is false for the request; `null` when the rule matched. */
  readonly failed: string | null;
}

export interface Explanation {
  readonly request: PolicyRequest;
  readonly decision: Decision;
  /** Every rule whose action may be the operation: those that decided first. */
  readonly rules: readonly ExplainedRule[];
}

/** Decides `request` and says how it came about. */
export function explain(tools: PolicyTools, set: PolicySet, request: PolicyRequest): Explanation {
  const decision = decide(set, request);
  const call = decision.error === null ? cedarCall(request, set, null) : null;
  if (call === null) return { request, decision, rules: [] };
  const rules = set.prepared[request.operation].rules.map((rule) => ({
    rule,
    decided: decision.ruleIds.includes(rule.id),
    failed: failedCondition(tools.cedar, rule.json, call),
  }));
  const sorted = [...rules].sort((a, b) => Number(b.decided) - Number(a.decided));
  return { request, decision, rules: sorted };
}
