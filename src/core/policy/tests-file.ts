/**
 * `tests.yaml`: requests with the decisions that they must get.
 *
 * Layer: core. Spec: docs/spec/policy-set-v1.md, section 6. Run on every check, so that a change
 * of a rule shows what it changes before it reaches a desk.
 */
import { z } from 'zod';
import { AreaName, Name } from './names.js';
import { userFacts, type UsersFile } from './users-file.js';
import { DESTINATION_KINDS, OPERATIONS, type PolicyRequest, type UserFacts } from './vocabulary.js';

const Count = z.int().min(0);

/** Names here are free: a test must be able to ask about what the set does not know. */
const FreeName = z.string().min(1).max(255);

const TestUser = z.strictObject({
  id: FreeName.default('test-user'),
  groups: z.array(FreeName).default([]),
  area: z.string().max(255).default(''),
  roles: z.array(FreeName).default([]),
  clearance: z.string().max(255).default(''),
});

export const TestRequest = z.strictObject({
  operation: z.enum(OPERATIONS),
  /** A user written out, or a name looked up in users.yaml (unlisted names get its default). */
  user: z.union([FreeName, TestUser]),
  device: z
    .strictObject({
      id: FreeName.default('test-device'),
      area: z.string().default(''),
      compliant: z.boolean().default(true),
    })
    .default({ id: 'test-device', area: '', compliant: true }),
  application: FreeName.nullable().default(null),
  file: z
    .strictObject({
      id: FreeName.default('test-file'),
      label: FreeName,
      area: AreaName,
      owner: FreeName.nullable().default(null),
    })
    .nullable()
    .default(null),
  destination: z
    .strictObject({
      id: FreeName.default('test-destination'),
      kind: z.enum(DESTINATION_KINDS),
      area: z.string().default(''),
      domain: z.string().default(''),
      trusted: z.boolean().default(false),
    })
    .nullable()
    .default(null),
  toLabel: FreeName.nullable().default(null),
  hour: z.int().min(0).max(23).default(10),
  weekday: z.int().min(1).max(7).default(3),
  offline: z.boolean().default(false),
  justified: z.boolean().default(false),
  count: Count.default(1),
  bytes: Count.default(0),
  people: Count.default(0),
  findings: z.array(FreeName).default([]),
  session: z.string().default('test-session'),
  approvals: z.array(FreeName).default([]),
});
export type TestRequest = z.infer<typeof TestRequest>;

const Expectation = z.strictObject({
  verdict: z.enum(['allow', 'deny', 'ask']),
  /** Compared as a set when given. */
  obligations: z.array(z.string()).optional(),
  /** Rule ids, compared as a set when given. */
  rules: z.array(Name).optional(),
  /** Error code when the deny must come from an error. */
  error: z
    .enum(['unknown-label', 'unknown-target-label', 'incomplete-request', 'evaluation-failed'])
    .optional(),
});
export type Expectation = z.infer<typeof Expectation>;

const PolicyTest = z.strictObject({
  name: z.string().min(1).max(200),
  request: TestRequest,
  expect: Expectation,
});
export type PolicyTest = z.infer<typeof PolicyTest>;

export const TestsFile = z.strictObject({
  tests: z.array(PolicyTest).min(1, 'needs at least one test').max(5000),
});
export type TestsFile = z.infer<typeof TestsFile>;

function resolveUser(users: UsersFile, user: TestRequest['user']): UserFacts {
  return typeof user === 'string' ? userFacts(users, user) : user;
}

/** The full request that a test stands for. */
export function toRequest(users: UsersFile, test: TestRequest): PolicyRequest {
  const { operation, device, application, file, destination, toLabel, approvals } = test;
  const { hour, weekday, offline, justified, count, bytes, people, findings, session } = test;
  return {
    ...{ operation, device, application, file, destination, toLabel, approvals },
    user: resolveUser(users, test.user),
    situation: { hour, weekday, offline, justified, count, bytes, people, findings, session },
  };
}
