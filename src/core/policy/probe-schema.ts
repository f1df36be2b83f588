/**
 * Does the schema of a set accept the requests that the product makes?
 *
 * Layer: core. A set brings its schema, so that the Cedar tools of others can check it; a schema
 * that lost an attribute would turn into denials on desks. One request per operation, with every
 * fact present, and one with every optional fact absent, is validated at check time.
 */
import type { CedarEngine } from './cedar-engine.js';
import type { SourceFile } from './compile-rules.js';
import { errorAt, wholeFile, type PolicyProblem } from './problem.js';
import { cedarCall, type FactSource } from './request-entities.js';
import { OPERATIONS, type Operation, type PolicyRequest } from './vocabulary.js';

const PROBE = 'schema-probe';

const SITUATION: PolicyRequest['situation'] = {
  hour: 10,
  weekday: 3,
  offline: false,
  justified: false,
  count: 1,
  bytes: 1,
  people: 0,
  findings: ['mobile'],
  session: 'probe',
};

function fullRequest(operation: Operation, label: string): PolicyRequest {
  return {
    operation,
    user: { id: 'probe', groups: ['probe'], area: 'probe', roles: ['probe'], clearance: label },
    device: { id: 'probe', area: 'probe', compliant: true },
    application: 'probe',
    file: { id: 'probe', label, area: 'probe', owner: 'probe' },
    destination: { id: 'probe', kind: 'printer', area: '', domain: '', trusted: false },
    toLabel: label,
    situation: SITUATION,
    approvals: [],
  };
}

function bareRequest(operation: Operation, label: string): PolicyRequest {
  const full = fullRequest(operation, label);
  return {
    ...full,
    application: operation === 'run' ? full.application : null,
    file: { id: 'probe', label, area: 'probe', owner: null },
    destination: null,
    toLabel: null,
  };
}

/** Validates the probes; `facts` must know at least one label. */
export function probeSchema(
  cedar: CedarEngine,
  schema: SourceFile,
  facts: FactSource,
  label: string,
): readonly PolicyProblem[] {
  cedar.preparseSchema(PROBE, schema.text);
  cedar.preparsePolicySet(PROBE, { staticPolicies: {} });
  const ask = (request: PolicyRequest): readonly PolicyProblem[] => {
    const call = cedarCall(request, facts, null);
    if (call === null) return [];
    const answer = cedar.statefulIsAuthorized({
      ...call,
      preparsedPolicySetId: PROBE,
      preparsedSchemaName: PROBE,
      validateRequest: true,
    });
    if (answer.type === 'success') return [];
    return answer.errors.map(({ message }) =>
      errorAt(
        wholeFile(schema.name),
        `the schema does not take the product's ${request.operation} request: ${message}`,
        'take schema.cedarschema of policies/baseline',
      ),
    );
  };
  return OPERATIONS.flatMap((operation) => {
    const problems = ask(fullRequest(operation, label));
    return problems.length > 0 ? problems : ask(bareRequest(operation, label));
  });
}
