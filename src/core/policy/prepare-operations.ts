/**
 * Hands the rules to the engine once, split by operation.
 *
 * Layer: core. A rule whose action scope rules an operation out costs time on every evaluation of
 * it and can never match; leaving it out changes no answer. The engine keeps what it is given for
 * the life of the process and has no way to drop it, so ids go by content: a set that is loaded
 * again takes no new room.
 */
import type { CedarEngine } from './cedar-engine.js';
import type { PreparedOperation } from './policy-set.js';
import { mayApply, mentionsOf } from './rule-mentions.js';
import type { Rule } from './rule.js';
import { OPERATIONS, type Operation } from './vocabulary.js';

function prepare(
  cedar: CedarEngine,
  version: string,
  rules: readonly Rule[],
  operation: Operation,
): PreparedOperation {
  const applying = rules.filter(({ json }) => mayApply(json, operation, OPERATIONS));
  const id = `${version}/${operation}`;
  const staticPolicies = Object.fromEntries(applying.map((rule) => [rule.id, rule.text]));
  const answer = cedar.preparsePolicySet(id, { staticPolicies });
  if (answer.type === 'failure') {
    // Every policy was parsed before, so this is a bug of ours or of the engine.
    throw new Error(`the engine refused checked rules: ${answer.errors[0]?.message ?? ''}`);
  }
  return { id, mentions: mentionsOf(applying.map(({ json }) => json)), rules: applying };
}

/** Prepares every operation of a set with this version. */
export function prepareOperations(
  cedar: CedarEngine,
  version: string,
  rules: readonly Rule[],
): Readonly<Record<Operation, PreparedOperation>> {
  const entries = OPERATIONS.map((operation) => [
    operation,
    prepare(cedar, version, rules, operation),
  ]);
  // Built from OPERATIONS, so every key is there.
  return Object.fromEntries(entries) as Record<Operation, PreparedOperation>;
}
