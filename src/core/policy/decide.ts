/**
 * Decides one request against one policy set.
 *
 * Layer: core. Total: every request has an answer and nothing here throws. No matching permit is a
 * deny; any evaluation error is a deny that says so, even where Cedar would have gone on without
 * the faulty rule, because the faulty rule may be the one that forbids (ADR-0021).
 * Spec: docs/spec/policy-set-v1.md, section 5 ("Decision").
 */
import type { CedarAnswer } from './cedar-engine.js';
import type { Decision, DecisionErrorCode } from './decision.js';
import { ERROR_MESSAGES, NEEDS_APPROVAL, NO_MESSAGE, NO_RULE_ALLOWS } from './fixed-messages.js';
import type { PolicySet } from './policy-set.js';
import { cedarCall } from './request-entities.js';
import type { Rule } from './rule.js';
import type { LocalizedText, PolicyRequest } from './vocabulary.js';

function refuse(set: PolicySet, code: DecisionErrorCode, detail: string): Decision {
  return {
    verdict: 'deny',
    obligations: [],
    asks: [],
    ruleIds: [],
    policyVersion: set.version,
    messages: ERROR_MESSAGES[code],
    error: { code, detail },
  };
}

/** Distinct messages of the rules, one after the other, in each language. */
function messagesOf(rules: readonly Rule[], otherwise: LocalizedText): LocalizedText {
  const texts = rules.flatMap(({ message }) => (message === null ? [] : [message]));
  if (texts.length === 0) return otherwise;
  const join = (pick: (text: LocalizedText) => string, gap: string) =>
    [...new Set(texts.map(pick))].join(gap);
  return { en: join((t) => t.en, ' '), zh: join((t) => t.zh, ''), ja: join((t) => t.ja, '') };
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}

/** Puts the determining rules together; every one of them binds, so the strictest wins. */
function combine(
  set: PolicySet,
  cedarSays: 'allow' | 'deny',
  rules: readonly Rule[],
  approvals: readonly string[],
): Decision {
  const asks = distinct(rules.flatMap(({ ask }) => ask)).filter((ask) => !approvals.includes(ask));
  const asking = cedarSays === 'allow' && asks.length > 0;
  const verdict = asking ? 'ask' : cedarSays;
  const speaking = asking ? rules.filter(({ ask }) => ask.length > 0) : rules;
  const otherwise = { allow: NO_MESSAGE, ask: NEEDS_APPROVAL, deny: NO_RULE_ALLOWS }[verdict];
  return {
    verdict,
    obligations: distinct(rules.flatMap(({ obligations }) => obligations)),
    asks: asking ? asks : [],
    ruleIds: distinct(rules.map(({ id }) => id)),
    policyVersion: set.version,
    messages: verdict === 'allow' ? NO_MESSAGE : messagesOf(speaking, otherwise),
    error: null,
  };
}

function interpret(set: PolicySet, answer: CedarAnswer, approvals: readonly string[]): Decision {
  if (answer.type === 'failure') {
    return refuse(set, 'evaluation-failed', answer.errors.map((e) => e.message).join('; '));
  }
  const { decision, diagnostics } = answer.response;
  if (diagnostics.errors.length > 0) {
    const faults = diagnostics.errors.map((e) => `rule ${e.policyId}: ${e.error.message}`);
    return refuse(set, 'evaluation-failed', faults.join('; '));
  }
  const rules = diagnostics.reason.flatMap((id) => set.ruleById.get(id) ?? []);
  return combine(set, decision, rules, approvals);
}

function evaluate(set: PolicySet, request: PolicyRequest): Decision {
  if (request.toLabel !== null && set.label(request.toLabel) === null) {
    return refuse(set, 'unknown-target-label', `no label "${request.toLabel}" in the set`);
  }
  if (request.file !== null && set.label(request.file.label) === null) {
    return refuse(set, 'unknown-label', `no label "${request.file.label}" in the set`);
  }
  const prepared = set.prepared[request.operation];
  const call = cedarCall(request, set, prepared.mentions);
  if (call === null) {
    return refuse(set, 'incomplete-request', `${request.operation} without what it acts on`);
  }
  return interpret(
    set,
    set.authorize({ ...call, preparsedPolicySetId: prepared.id }),
    request.approvals,
  );
}

/**
 * Decides `request`. Approvals that the request carries are believed: the agent checks them.
 *
 * Text that is not well-formed Unicode, numbers that are no whole numbers and the like make the
 * engine fail; that is an `evaluation-failed` deny, not an exception.
 */
export function decide(set: PolicySet, request: PolicyRequest): Decision {
  try {
    return evaluate(set, request);
  } catch (fault) {
    // The engine throws on what it cannot read as JSON; an insider chooses file and area names.
    const detail = fault instanceof Error ? fault.message : 'the engine failed';
    return refuse(set, 'evaluation-failed', detail);
  }
}
