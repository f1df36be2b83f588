/**
 * A policy set, checked and ready to decide.
 *
 * Layer: core. Only `readPolicySet` makes one. Not here: files on disk (`src/agent/policy`),
 * signatures (the bundle is another format).
 */
import type { Application, ApplicationsFile } from './applications-file.js';
import type { CedarAnswer, CedarCall } from './cedar-engine.js';
import type { DetectorsFile } from './detectors-file.js';
import type { FoldersFile } from './folders-file.js';
import type { Label } from './labels-file.js';
import type { Mentions } from './rule-mentions.js';
import type { Rule } from './rule.js';
import type { SetFile } from './set-file.js';
import type { TestsFile } from './tests-file.js';
import type { UsersFile } from './users-file.js';
import type { Operation } from './vocabulary.js';

/** The rules that may apply to one operation, parsed once and kept by the engine under `id`. */
export interface PreparedOperation {
  readonly id: string;
  readonly mentions: Mentions;
  readonly rules: readonly Rule[];
}

export interface PolicySet {
  readonly name: string;
  readonly lab: boolean;
  /** SHA-256 over the canonical content, hex. */
  readonly version: string;
  readonly about: SetFile;
  readonly labels: readonly Label[];
  readonly applications: ApplicationsFile;
  readonly folders: FoldersFile;
  readonly detectors: DetectorsFile;
  readonly users: UsersFile;
  readonly tests: TestsFile;
  readonly rules: readonly Rule[];
  readonly ruleById: ReadonlyMap<string, Rule>;
  readonly prepared: Readonly<Record<Operation, PreparedOperation>>;
  readonly label: (name: string) => Label | null;
  readonly application: (id: string) => Application | null;
  readonly authorize: (call: CedarCall) => CedarAnswer;
}

/** The first twelve digits: what people compare by eye. */
export function shortVersion(set: Pick<PolicySet, 'version'>): string {
  return set.version.slice(0, 12);
}
