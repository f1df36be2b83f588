/**
 * The answer of policy: verdict, obligations, the rules that decided, and why in words.
 *
 * Layer: core. A value, never an exception. Not here: how it is reached (`decide.ts`).
 */
import type { LocalizedText } from './vocabulary.js';

export type Verdict = 'allow' | 'deny' | 'ask';

/** Why no rule could be asked. A record of such a decision is a record of an error. */
export type DecisionErrorCode =
  'unknown-label' | 'unknown-target-label' | 'incomplete-request' | 'evaluation-failed';

export interface DecisionError {
  readonly code: DecisionErrorCode;
  /** For the local log; names rules and attributes, never contents. */
  readonly detail: string;
}

export interface Decision {
  readonly verdict: Verdict;
  /** Of every rule that decided, each once; empty on a deny that no rule spoke. */
  readonly obligations: readonly string[];
  /** Approvals still missing; empty unless the verdict is `ask`. */
  readonly asks: readonly string[];
  /** Ids of the determining rules, sorted; empty when no permit matched or nothing was evaluated. */
  readonly ruleIds: readonly string[];
  readonly policyVersion: string;
  /** What the employee reads; empty texts when the operation just goes on. */
  readonly messages: LocalizedText;
  readonly error: DecisionError | null;
}
