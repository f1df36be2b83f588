/**
 * What we need of Cedar, as an interface.
 *
 * Layer: core. The package has one entry for Node and one for browsers; whoever runs the code
 * picks the entry and hands it in, so core stays free of both. The shapes are those of
 * \@cedar-policy/cedar-wasm 4.13, cut down to the fields read here.
 * Not here: loading (`src/platform/policy-tools.ts`).
 */

/** Offsets are UTF-8 bytes into the text that was handed over. */
export interface CedarLocation {
  readonly start: number;
  readonly end: number;
  readonly label: string | null;
}

export interface CedarError {
  readonly message: string;
  readonly help: string | null;
  readonly sourceLocations?: readonly CedarLocation[];
}

export interface CedarUid {
  readonly type: string;
  readonly id: string;
}

export type CedarValue =
  boolean | number | string | { readonly __entity: CedarUid } | readonly CedarValue[];

export interface CedarEntity {
  readonly uid: CedarUid;
  readonly attrs: Readonly<Record<string, CedarValue>>;
  readonly parents: readonly CedarUid[];
}

/** A policy in Cedar's JSON form. The bodies are walked, never interpreted: hence `unknown`. */
export interface CedarPolicyJson {
  readonly effect: 'permit' | 'forbid';
  readonly principal: unknown;
  readonly action: unknown;
  readonly resource: unknown;
  readonly conditions: readonly unknown[];
  readonly annotations?: Readonly<Record<string, string | null>>;
}

interface Failure {
  readonly type: 'failure';
  readonly errors: readonly CedarError[];
}

export interface CedarPolicyError {
  readonly policyId: string;
  readonly error: CedarError;
}

export interface CedarCall {
  readonly principal: CedarUid;
  readonly action: CedarUid;
  readonly resource: CedarUid;
  readonly context: Readonly<Record<string, CedarValue>>;
  readonly entities: readonly CedarEntity[];
  readonly preparsedPolicySetId: string;
  readonly preparsedSchemaName?: string;
  readonly validateRequest?: boolean;
}

export type CedarAnswer =
  | Failure
  | {
      readonly type: 'success';
      readonly response: {
        readonly decision: 'allow' | 'deny';
        readonly diagnostics: {
          readonly reason: readonly string[];
          readonly errors: readonly CedarPolicyError[];
        };
      };
    };

interface StaticPolicies {
  readonly staticPolicies: Readonly<Record<string, string>>;
}

/** A call that brings its policies along, as text or as JSON. */
export type CedarOneOffCall = Pick<
  CedarCall,
  'principal' | 'action' | 'resource' | 'context' | 'entities'
> & {
  readonly policies: {
    readonly staticPolicies: Readonly<Record<string, string | CedarPolicyJson>>;
  };
};

export interface CedarEngine {
  readonly checkParseSchema: (schema: string) => Failure | { readonly type: 'success' };
  readonly policyToJson: (
    policy: string,
  ) => Failure | { readonly type: 'success'; readonly json: CedarPolicyJson };
  readonly validate: (call: {
    readonly schema: string;
    readonly policies: StaticPolicies;
    readonly validationSettings: { readonly mode: 'strict' };
  }) =>
    | Failure
    | {
        readonly type: 'success';
        readonly validationErrors: readonly CedarPolicyError[];
        readonly validationWarnings: readonly CedarPolicyError[];
      };
  readonly preparseSchema: (name: string, schema: string) => Failure | { readonly type: 'success' };
  readonly preparsePolicySet: (
    id: string,
    policies: StaticPolicies,
  ) => Failure | { readonly type: 'success' };
  readonly policyToText: (
    policy: CedarPolicyJson,
  ) => Failure | { readonly type: 'success'; readonly text: string };
  readonly isAuthorized: (call: CedarOneOffCall) => CedarAnswer;
  readonly statefulIsAuthorized: (call: CedarCall) => CedarAnswer;
}

/** What the policy code needs from outside: the engine and one digest. */
export interface PolicyTools {
  readonly cedar: CedarEngine;
  /** SHA-256 of the text's UTF-8 bytes, in lower-case hex. */
  readonly sha256Hex: (text: string) => string;
}
