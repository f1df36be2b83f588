/**
 * From the files of a policy set to a set that decides.
 *
 * Layer: core. Pure given the files' texts. Every fault of every file is reported at once.
 * Spec: docs/spec/policy-set-v1.md. Not here: reading the directory, signatures.
 */
import { fail, succeed, type Result } from '../errors/result.js';
import { ApplicationsFile } from './applications-file.js';
import type { PolicyTools } from './cedar-engine.js';
import { compileRules, type SourceFile } from './compile-rules.js';
import { crossCheck, type Located, type SetFiles } from './cross-checks.js';
import { DetectorsFile } from './detectors-file.js';
import { FoldersFile } from './folders-file.js';
import { LabelsFile, levelled } from './labels-file.js';
import type { PolicySet } from './policy-set.js';
import { prepareOperations } from './prepare-operations.js';
import { probeSchema } from './probe-schema.js';
import {
  errorAt,
  hasErrors,
  invalidSet,
  sortProblems,
  wholeFile,
  type PolicyProblem,
} from './problem.js';
import type { Rule } from './rule.js';
import { SetFile } from './set-file.js';
import { utf8Bytes } from './source-text.js';
import { TestsFile } from './tests-file.js';
import { UsersFile } from './users-file.js';
import { readYaml } from './yaml-file.js';

/** A set larger than this is refused before it is parsed. */
export const LARGEST_SET_BYTES = 4 * 1024 * 1024;

const SCHEMA = 'schema.cedarschema';

/** Each YAML file with its schema, and what stands for it when it is not there. */
const YAML_FILES = {
  about: { name: 'set.yaml', schema: SetFile, absent: null },
  labels: { name: 'labels.yaml', schema: LabelsFile, absent: null },
  applications: { name: 'applications.yaml', schema: ApplicationsFile, absent: null },
  folders: { name: 'folders.yaml', schema: FoldersFile, absent: null },
  detectors: { name: 'detectors.yaml', schema: DetectorsFile, absent: null },
  users: { name: 'users.yaml', schema: UsersFile, absent: '{}' },
  tests: { name: 'tests.yaml', schema: TestsFile, absent: null },
} as const;

/** Files by name, without their directory. */
export type PolicyFiles = Readonly<Record<string, string>>;

/** A set and what a person should still look at. */
export interface CheckedSet {
  readonly set: PolicySet;
  readonly warnings: readonly PolicyProblem[];
}

/** Whether a file of this name belongs to a set. Notes for readers (`*.md`) may lie beside it. */
export function belongsToSet(name: string): boolean {
  const yaml = Object.values(YAML_FILES).some((file) => file.name === name);
  return yaml || name === SCHEMA || name.endsWith('.cedar');
}

function checkFileNames(files: PolicyFiles): readonly PolicyProblem[] {
  const needed = [
    SCHEMA,
    ...Object.values(YAML_FILES).flatMap(({ name, absent }) => (absent === null ? [name] : [])),
  ];
  const missing = needed.filter((name) => files[name] === undefined);
  const foreign = Object.keys(files).filter((name) => !belongsToSet(name));
  const rules = Object.keys(files).some((name) => name.endsWith('.cedar'));
  return [
    ...missing.map((name) => errorAt(wholeFile(name), 'the file is missing')),
    ...foreign.map((name) =>
      errorAt(
        wholeFile(name),
        'is no file of a policy set',
        'set.yaml, labels.yaml, applications.yaml, folders.yaml, detectors.yaml, users.yaml, tests.yaml, schema.cedarschema, *.cedar',
      ),
    ),
    ...(rules
      ? []
      : [errorAt(wholeFile('*.cedar'), 'the set has no rules', 'at least one .cedar file')]),
  ];
}

interface Collected {
  readonly files: SetFiles | null;
  readonly problems: readonly PolicyProblem[];
}

function readYamlFiles(texts: PolicyFiles): Collected {
  const problems: PolicyProblem[] = [];
  const parsed: Record<string, Located<unknown>> = {};
  for (const [key, { name, schema, absent }] of Object.entries(YAML_FILES)) {
    const text = texts[name] ?? absent;
    if (text === null) continue;
    const outcome = readYaml<unknown>(name, text, schema);
    if (outcome.ok) parsed[key] = { value: outcome.value, places: outcome.places };
    else problems.push(...outcome.problems);
  }
  const complete = Object.keys(YAML_FILES).every((key) => parsed[key] !== undefined);
  // Each value was checked by the schema in the same row of the table, which TypeScript cannot see.
  return { files: complete ? (parsed as unknown as SetFiles) : null, problems };
}

/** Name, length and text of each file, sorted: no two different sets have one canonical form. */
function canonicalText(files: PolicyFiles): string {
  const parts = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(['sealway-policy-set-v1', ...parts]);
}

function build(
  tools: PolicyTools,
  version: string,
  files: SetFiles,
  rules: readonly Rule[],
): PolicySet {
  const labels = levelled(files.labels.value);
  const labelByName = new Map(labels.map((label) => [label.name, label]));
  const applications = files.applications.value;
  const applicationById = new Map(applications.applications.map((item) => [item.id, item]));
  return {
    name: files.about.value.name,
    lab: files.about.value.lab,
    version,
    about: files.about.value,
    labels,
    applications,
    folders: files.folders.value,
    detectors: files.detectors.value,
    users: files.users.value,
    tests: files.tests.value,
    rules,
    ruleById: new Map(rules.map((rule) => [rule.id, rule])),
    prepared: prepareOperations(tools.cedar, version, rules),
    label: (name) => labelByName.get(name) ?? null,
    application: (id) => applicationById.get(id) ?? null,
    authorize: (call) => tools.cedar.statefulIsAuthorized(call),
  };
}

function checkAll(
  tools: PolicyTools,
  texts: PolicyFiles,
  schema: SourceFile,
): Collected & { readonly rules: readonly Rule[] } {
  const sources = Object.entries(texts)
    .filter(([name]) => name.endsWith('.cedar'))
    .map(([name, text]) => ({ name, text }));
  const yaml = readYamlFiles(texts);
  const compiled = compileRules(tools.cedar, schema, sources);
  const problems = [...checkFileNames(texts), ...yaml.problems, ...compiled.problems];
  if (yaml.files !== null) problems.push(...crossCheck(yaml.files));
  return { files: yaml.files, rules: compiled.rules, problems };
}

/**
 * Checks `texts` as a policy set.
 *
 * @returns the set with its warnings; `E_POLICY_TOO_LARGE` above 4 MiB; `E_POLICY_INVALID` with
 *   every error, one per line as `file:line:column: …`; `E_POLICY_LAB` for a lab set when
 *   `allowLab` is false.
 */
export function readPolicySet(
  tools: PolicyTools,
  texts: PolicyFiles,
  options: { readonly allowLab: boolean },
): Result<CheckedSet> {
  const sizeBytes = Object.values(texts).reduce((sum, text) => sum + utf8Bytes(text), 0);
  if (sizeBytes > LARGEST_SET_BYTES) {
    return fail(
      'E_POLICY_TOO_LARGE',
      `${String(sizeBytes)} bytes; at most ${String(LARGEST_SET_BYTES)}`,
    );
  }
  const schema = { name: SCHEMA, text: texts[SCHEMA] ?? '' };
  const { files, rules, problems } = checkAll(tools, texts, schema);
  if (hasErrors(problems) || files === null) return invalidSet(problems);
  if (files.about.value.lab && !options.allowLab) {
    return fail('E_POLICY_LAB', `the set "${files.about.value.name}" has lab: true`);
  }
  const set = build(tools, tools.sha256Hex(canonicalText(texts)), files, rules);
  const probed = probeSchema(tools.cedar, schema, set, set.labels[0]?.name ?? '');
  if (hasErrors(probed)) return invalidSet(probed);
  return succeed({ set, warnings: sortProblems(problems) });
}
