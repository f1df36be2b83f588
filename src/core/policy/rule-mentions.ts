/**
 * What a set of rules can depend on: attribute names, and entities named by id.
 *
 * Layer: core. An over-approximation by name alone, so it is safe to leave out of a request what
 * is not mentioned, and to treat two users as one when they agree on everything that is: no rule
 * can tell the difference. Used to keep evaluations small and the verdict table quick.
 */
import type { CedarPolicyJson, CedarUid } from './cedar-engine.js';
import type { Operation } from './vocabulary.js';

export interface Mentions {
  /** Attribute names read or tested anywhere. */
  readonly attributes: ReadonlySet<string>;
  /** `Type::id` of every entity named in a scope or a condition. */
  readonly entities: ReadonlySet<string>;
  /** Context used as a whole record: nothing may be left out then. */
  readonly wholeContext: boolean;
}

interface Collector {
  readonly attributes: Set<string>;
  readonly entities: Set<string>;
  wholeContext: boolean;
}

/** How an entity is written in `Mentions.entities`. */
export function entityKey({ type, id }: CedarUid): string {
  return `${type}::${id}`;
}

function isRecord(node: unknown): node is Readonly<Record<string, unknown>> {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}

function isUid(node: Readonly<Record<string, unknown>>): node is { type: string; id: string } {
  return typeof node['type'] === 'string' && typeof node['id'] === 'string';
}

function isContext(node: unknown): boolean {
  return isRecord(node) && node['Var'] === 'context';
}

/** `x.name` and `x has name`; the left side is walked on, except for a bare `context`. */
function collectAccess(access: unknown, into: Collector): void {
  // A record literal may have a field called "has": its value is an expression, not an access.
  if (!isRecord(access) || !('left' in access) || !('attr' in access)) {
    collect(access, into);
    return;
  }
  const names = Array.isArray(access['attr']) ? (access['attr'] as unknown[]) : [access['attr']];
  for (const name of names) if (typeof name === 'string') into.attributes.add(name);
  if (!isContext(access['left'])) collect(access['left'], into);
}

function collect(node: unknown, into: Collector): void {
  if (Array.isArray(node)) {
    for (const child of node as unknown[]) collect(child, into);
    return;
  }
  if (!isRecord(node)) return;
  if (isUid(node)) into.entities.add(entityKey(node));
  if (isContext(node)) into.wholeContext = true;
  for (const [key, child] of Object.entries(node)) {
    if (key === '.' || key === 'has') collectAccess(child, into);
    else collect(child, into);
  }
}

/** Everything that `policies` mention. */
export function mentionsOf(policies: readonly CedarPolicyJson[]): Mentions {
  const into: Collector = { attributes: new Set(), entities: new Set(), wholeContext: false };
  for (const { principal, action, resource, conditions } of policies) {
    collect([principal, action, resource, conditions], into);
  }
  return into;
}

function actionIds(action: Readonly<Record<string, unknown>>): readonly string[] {
  const found: Collector = { attributes: new Set(), entities: new Set(), wholeContext: false };
  collect(action, found);
  return [...found.entities];
}

/**
 * Whether a policy can apply to `operation`: by its action scope alone.
 *
 * An action that is none of `operations` may be a group of actions, so it counts as applying.
 */
export function mayApply(
  policy: CedarPolicyJson,
  operation: Operation,
  operations: readonly Operation[],
): boolean {
  if (!isRecord(policy.action) || policy.action['op'] === 'All') return true;
  const known = new Set(operations.map((id) => entityKey({ type: 'Action', id })));
  return actionIds(policy.action).some(
    (key) => key === entityKey({ type: 'Action', id: operation }) || !known.has(key),
  );
}
