/**
 * `sealway policy check | test | explain`: offline, so that a set can be tried before anybody has it.
 *
 * Layer: cli. A set is a directory, or the name of a shipped one.
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { explain } from '../../core/policy/explain.js';
import { explanationLines } from '../../core/policy/explain-text.js';
import { shortVersion, type PolicySet } from '../../core/policy/policy-set.js';
import { formatProblem } from '../../core/policy/problem.js';
import {
  belongsToSet,
  LARGEST_SET_BYTES,
  readPolicySet,
  type CheckedSet,
} from '../../core/policy/read-policy-set.js';
import { runPolicyTests } from '../../core/policy/run-tests.js';
import { TestRequest, toRequest } from '../../core/policy/tests-file.js';
import type { Language } from '../../core/policy/vocabulary.js';
import { POLICY_TOOLS } from '../../platform/policy-tools.js';
import { readDirectory } from '../../platform/read-directory.js';
import { CommandFailure } from '../agent-client.js';
import type { Context } from '../context.js';

const SHIPPED_NAME = /^[a-z][a-z0-9-]*$/;

/** Finds a set: a directory that exists, or the shipped set of that name. */
export function policyDirectory(name: string): string {
  if (existsSync(name) || !SHIPPED_NAME.test(name)) return resolve(name);
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'policies')) && dirname(directory) !== directory) {
    directory = dirname(directory);
  }
  return join(directory, 'policies', name);
}

export async function checkPolicy(context: Context, name: string): Promise<void> {
  const { set, warnings } = await readSet(context, name);
  const failed = runPolicyTests(set).filter(({ passed }) => !passed);
  context.out.value({
    set: set.name,
    version: set.version,
    rules: set.rules.length,
    labels: set.labels.map((label) => label.name),
    tests: { run: set.tests.tests.length, failed: failed.map((test) => test.name) },
    warnings: warnings.map(formatProblem),
  });
  for (const warning of warnings) context.out.warn(formatProblem(warning));
  const passed = set.tests.tests.length - failed.length;
  const tests = `${String(passed)} of ${String(set.tests.tests.length)} tests pass`;
  context.out.line(`${set.name} ${shortVersion(set)}: ${String(set.rules.length)} rules, ${tests}`);
  if (failed.length > 0) {
    throw CommandFailure.of(
      'E_POLICY_INVALID',
      `failing tests: ${failed.map((t) => t.name).join('; ')}`,
    );
  }
}

export async function testPolicy(context: Context, name: string): Promise<void> {
  const { set } = await readSet(context, name);
  const results = runPolicyTests(set);
  context.out.value({
    set: set.name,
    version: set.version,
    tests: results.map(({ name: test, passed, differences }) => ({ test, passed, differences })),
  });
  for (const { name: test, passed, differences } of results) {
    context.out.line(`${passed ? 'pass' : 'FAIL'}  ${test}`);
    for (const difference of differences) context.out.line(`      ${difference}`);
  }
  const failed = results.filter(({ passed }) => !passed);
  if (failed.length === 0) return;
  const names = failed.map((test) => test.name).join('; ');
  throw CommandFailure.of('E_POLICY_INVALID', `${String(failed.length)} tests fail: ${names}`);
}

export interface ExplainOptions {
  readonly operation: string;
  readonly user: string;
  readonly application?: string;
  readonly label?: string;
  readonly area?: string;
  readonly destination?: string;
  readonly hour?: string;
  readonly weekday?: string;
  readonly count?: string;
  readonly language?: string;
}

export async function explainPolicy(
  context: Context,
  name: string,
  options: ExplainOptions,
): Promise<void> {
  const { set } = await readSet(context, name);
  const parsed = TestRequest.safeParse(requestFields(options));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const detail = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`;
    throw CommandFailure.of('E_USAGE', detail);
  }
  const explanation = explain(POLICY_TOOLS, set, toRequest(set.users, parsed.data));
  const { decision, rules } = explanation;
  context.out.value({
    decision,
    rules: rules.map(({ rule, decided, failed }) => ({ id: rule.id, decided, failed })),
  });
  const language = languageOf(options.language);
  for (const line of explanationLines(explanation, set, language)) context.out.line(line);
}

function requestFields(options: ExplainOptions): Record<string, unknown> {
  const { operation, user, application, label, area, destination } = options;
  const number = (name: 'hour' | 'weekday' | 'count'): Record<string, number> =>
    options[name] === undefined ? {} : { [name]: Number(options[name]) };
  const [kind, id] = destination?.split(':', 2) ?? [];
  return {
    operation,
    user,
    ...(application === undefined ? {} : { application }),
    ...(label === undefined ? {} : { file: { label, area: area ?? 'main' } }),
    ...(kind === undefined ? {} : { destination: { kind, ...(id === undefined ? {} : { id }) } }),
    ...number('hour'),
    ...number('weekday'),
    ...number('count'),
  };
}

/** The language asked for, else the locale's, else English. */
export function languageOf(asked: string | undefined): Language {
  const wanted = asked ?? process.env['LC_ALL'] ?? process.env['LANG'] ?? 'en';
  if (wanted.startsWith('zh')) return 'zh';
  return wanted.startsWith('ja') ? 'ja' : 'en';
}

async function readSet(context: Context, name: string): Promise<CheckedSet & { set: PolicySet }> {
  const directory = policyDirectory(name);
  const wanted = (file: string): boolean => belongsToSet(file) || !/\.(md|txt)$/.test(file);
  const read = await readDirectory(directory, { wanted, maxTotalBytes: LARGEST_SET_BYTES });
  if (!read.ok) throw CommandFailure.of('E_POLICY_NOT_FOUND', `${directory}: ${read.error.detail}`);
  const texts = Object.fromEntries(
    Object.entries(read.value).map(([file, { text }]) => [file, text]),
  );
  // Checking runs nothing of the set, so the lab set needs no asking by name here.
  const checked = readPolicySet(POLICY_TOOLS, texts, { allowLab: true });
  if (checked.ok) return checked.value;
  const problems = checked.error.detail.split('\n');
  if (problems.length < 2) throw CommandFailure.of(checked.error.code, checked.error.detail);
  for (const problem of problems) context.out.warn(problem);
  throw CommandFailure.of(
    checked.error.code,
    `${String(problems.length)} problems in ${directory}`,
  );
}
