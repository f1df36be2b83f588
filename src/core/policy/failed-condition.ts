/**
 * Why a rule did not match: the first part of it that is false for a request.
 *
 * Layer: core. Asks Cedar about each part alone, in the order in which Cedar would evaluate them,
 * so the answer can never disagree with the decision. For people only; never on the decision path.
 */
import type { CedarEngine, CedarPolicyJson } from './cedar-engine.js';
import type { RequestCall } from './request-entities.js';

const ANYTHING = { op: 'All' } as const;
const PROBE = 'part';

type Json = Readonly<Record<string, unknown>>;

interface Part {
  readonly policy: CedarPolicyJson;
  /** Scope parts have a name; conditions are shown as their text. */
  readonly scope: 'principal' | 'action' | 'resource' | null;
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function blank(conditions: readonly unknown[] = []): CedarPolicyJson {
  return {
    effect: 'permit',
    principal: ANYTHING,
    action: ANYTHING,
    resource: ANYTHING,
    conditions,
  };
}

/** The conjuncts of an expression, left to right. */
function conjuncts(body: unknown): readonly unknown[] {
  const and = isJson(body) ? body['&&'] : undefined;
  return isJson(and) ? [...conjuncts(and['left']), ...conjuncts(and['right'])] : [body];
}

function conditionParts(condition: unknown): readonly Part[] {
  if (!isJson(condition)) return [];
  const bodies = condition['kind'] === 'when' ? conjuncts(condition['body']) : [condition['body']];
  return bodies.map((body) => ({
    policy: blank([{ kind: condition['kind'], body }]),
    scope: null,
  }));
}

function partsOf(json: CedarPolicyJson): readonly Part[] {
  return [
    { policy: { ...blank(), principal: json.principal }, scope: 'principal' },
    { policy: { ...blank(), action: json.action }, scope: 'action' },
    { policy: { ...blank(), resource: json.resource }, scope: 'resource' },
    ...json.conditions.flatMap(conditionParts),
  ];
}

function holds(cedar: CedarEngine, part: Part, call: RequestCall): boolean {
  const answer = cedar.isAuthorized({
    ...call,
    policies: { staticPolicies: { [PROBE]: part.policy } },
  });
  return answer.type === 'success' && answer.response.decision === 'allow';
}

/** `when { … }` or the scope's constraint, as Cedar writes it, on one line. */
function textOf(cedar: CedarEngine, part: Part): string {
  const answer = cedar.policyToText(part.policy);
  if (answer.type === 'failure') return '?';
  const line = answer.text.replace(/\s+/gu, ' ').trim();
  const condition = /(when|unless) \{ ?(.*?) ?\};?$/u.exec(line);
  if (condition !== null) {
    return `${condition[1] === 'unless' ? 'unless ' : ''}${condition[2] ?? ''}`;
  }
  const scope = /^permit ?\( ?(.*?) ?\);?$/u.exec(line)?.[1] ?? line;
  return (
    scope
      .split(/, (?=(?:principal|action|resource)\b)/u)
      .find((p) => p.startsWith(part.scope ?? '')) ?? scope
  );
}

/** The text of the first part of `json` that is false for `call`; `null` when all hold. */
export function failedCondition(
  cedar: CedarEngine,
  json: CedarPolicyJson,
  call: RequestCall,
): string | null {
  const failed = partsOf(json).find((part) => !holds(cedar, part, call));
  return failed === undefined ? null : textOf(cedar, failed);
}
