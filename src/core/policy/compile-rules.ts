/**
 * From Cedar files and a schema to checked rules.
 *
 * Layer: core. Reports every faulty policy, not only the first. A set compiles only when the
 * strict validator accepts every policy, so that evaluation has little left to fail on.
 * Not here: probing that the schema fits our vocabulary (`probe-schema.ts`).
 */
import type { CedarEngine, CedarError, CedarPolicyError } from './cedar-engine.js';
import { splitPolicies, type PolicySource } from './cedar-source.js';
import {
  errorAt,
  hasErrors,
  warningAt,
  wholeFile,
  type Place,
  type PolicyProblem,
} from './problem.js';
import { readRule, type Rule } from './rule.js';
import { lineColumn, utf16Offset } from './source-text.js';

export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

export interface CompiledRules {
  readonly rules: readonly Rule[];
  readonly problems: readonly PolicyProblem[];
}

/** A policy set with more rules than this is refused: each costs time on every evaluation. */
export const MOST_RULES = 1000;

/** Where in `file` an error of a text that starts at `offset` lies. */
function placeOf(file: SourceFile, offset: number, text: string, error: CedarError): Place {
  const start = error.sourceLocations?.[0]?.start ?? 0;
  return { file: file.name, ...lineColumn(file.text, offset + utf16Offset(text, start)) };
}

/** Cedar's own words, without its "failed to parse … from string: " prefix. */
function words(error: CedarError): { readonly message: string; readonly expected: string } {
  const message = error.message
    .replace(/^failed to parse \w+( with id `[^`]*`)? from string: /u, '')
    .replace(/^error parsing schema: /u, '');
  const label = error.sourceLocations?.[0]?.label ?? '';
  return { message, expected: error.help ?? label };
}

/** Parses the schema. */
export function checkSchema(cedar: CedarEngine, schema: SourceFile): readonly PolicyProblem[] {
  const answer = cedar.checkParseSchema(schema.text);
  if (answer.type === 'success') return [];
  return answer.errors.map((error) => {
    const { message, expected } = words(error);
    return errorAt(placeOf(schema, 0, schema.text, error), message, expected);
  });
}

function readPolicy(cedar: CedarEngine, file: SourceFile, source: PolicySource): CompiledRules {
  const answer = cedar.policyToJson(source.text);
  if (answer.type === 'success') {
    const place = { file: file.name, ...lineColumn(file.text, source.offset) };
    const { rule, problems } = readRule(answer.json, source, place);
    return { rules: [rule], problems };
  }
  const problems = answer.errors.map((error) => {
    const { message, expected } = words(error);
    const hint = source.terminated ? expected : 'a policy ends with ;';
    return errorAt(placeOf(file, source.offset, source.text, error), message, hint);
  });
  return { rules: [], problems };
}

function checkUnique(rules: readonly Rule[]): readonly PolicyProblem[] {
  const first = new Map<string, Rule>();
  const problems: PolicyProblem[] = [];
  for (const rule of rules) {
    const other = first.get(rule.id);
    if (other === undefined) first.set(rule.id, rule);
    else if (rule.id !== '') {
      const where = `${other.place.file}:${String(other.place.line)}`;
      problems.push(
        errorAt(
          rule.place,
          `@id("${rule.id}") is used twice`,
          `first at ${where}; each rule has an id of its own`,
        ),
      );
    }
  }
  return problems;
}

function byId(rules: readonly Rule[]): Readonly<Record<string, string>> {
  return Object.fromEntries(rules.map(({ id, text }) => [id, text]));
}

/** Cedar's strict validation of all rules against the schema. */
function validate(
  cedar: CedarEngine,
  schema: SourceFile,
  files: readonly SourceFile[],
  rules: readonly Rule[],
): readonly PolicyProblem[] {
  const answer = cedar.validate({
    schema: schema.text,
    policies: { staticPolicies: byId(rules) },
    validationSettings: { mode: 'strict' },
  });
  if (answer.type === 'failure') {
    return answer.errors.map((error) => errorAt(wholeFile(schema.name), error.message));
  }
  const report = (make: typeof errorAt) => (found: CedarPolicyError) => {
    const rule = rules.find(({ id }) => id === found.policyId);
    const file = files.find(({ name }) => name === rule?.place.file);
    if (rule === undefined || file === undefined)
      return make(wholeFile(schema.name), found.error.message);
    const { message, expected } = words(found.error);
    return make(placeOf(file, rule.offset, rule.text, found.error), message, expected);
  };
  return [
    ...answer.validationErrors.map(report(errorAt)),
    ...answer.validationWarnings.map(report(warningAt)),
  ];
}

/** Compiles every policy of `files`. `rules` is complete only when no problem is an error. */
export function compileRules(
  cedar: CedarEngine,
  schema: SourceFile,
  files: readonly SourceFile[],
): CompiledRules {
  const parts = files.flatMap((file) =>
    splitPolicies(file.name, file.text).map((source) => readPolicy(cedar, file, source)),
  );
  const rules = parts.flatMap((part) => part.rules);
  const problems = [
    ...checkSchema(cedar, schema),
    ...parts.flatMap((part) => part.problems),
    ...checkUnique(rules),
  ];
  if (rules.length > MOST_RULES) {
    problems.push(
      errorAt(
        wholeFile(schema.name),
        `the set has ${String(rules.length)} rules`,
        `at most ${String(MOST_RULES)}`,
      ),
    );
  }
  if (hasErrors(problems)) return { rules, problems };
  return { rules, problems: [...problems, ...validate(cedar, schema, files, rules)] };
}
