/** A small policy set for tests: its files as texts, to be changed one at a time. */
import { readPolicySet, type PolicyFiles } from '#src/core/policy/read-policy-set.js';
import type { PolicySet } from '#src/core/policy/policy-set.js';
import type { PolicyRequest } from '#src/core/policy/vocabulary.js';
import { POLICY_TOOLS } from '#src/platform/policy-tools.js';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const POLICIES = new URL('../../policies', import.meta.url).pathname;

/** The files of a shipped set. Throws when there are none: a suite without input must not pass. */
export function shippedFiles(name: string): PolicyFiles {
  const directory = join(POLICIES, name);
  const names = readdirSync(directory);
  if (names.length === 0) throw new Error(`no files in ${directory}`);
  return Object.fromEntries(
    names.map((file) => [file, readFileSync(join(directory, file), 'utf8')]),
  );
}

const TITLE = '{ en: Test, zh: 测试, ja: テスト }';

/** Rules and lists as short as they may be. */
export const SMALL_FILES: PolicyFiles = {
  'schema.cedarschema': shippedFiles('baseline')['schema.cedarschema'] ?? '',
  'set.yaml': `format: 1\nname: small\ntitle: ${TITLE}\n`,
  'labels.yaml': `labels:\n  - { name: public, title: ${TITLE} }\n  - { name: secret, title: ${TITLE}, personal: true, barrier: true }\n`,
  'applications.yaml': `applications:\n  - id: editor\n    names: ${TITLE}\n    start: [/usr/bin/editor]\n    executables: [{ path: /usr/bin/editor, owner: root }]\n`,
  'folders.yaml': `default: { label: public, area: main }\n`,
  'detectors.yaml': `use: [mobile]\n`,
  'users.yaml': `default: { groups: [staff], area: main, clearance: secret }\n`,
  'rules.cedar': `@id("staff-open")\npermit (principal in Group::"staff", action in [Action::"open", Action::"modify"], resource)\nwhen { resource.area == principal.area };\n`,
  'tests.yaml': `tests:\n  - name: staff open\n    request: { operation: open, user: x, application: editor, file: { label: public, area: main } }\n    expect: { verdict: allow }\n`,
};

/** Files to put in the place of the small set's; `null` takes a file away. */
export type FileChanges = Readonly<Record<string, string | null>>;

function withChanges(changes: FileChanges): PolicyFiles {
  const files: Record<string, string> = {};
  for (const [name, text] of Object.entries({ ...SMALL_FILES, ...changes })) {
    if (text !== null) files[name] = text;
  }
  return files;
}

/** The small set with some files replaced. Throws with the problems when it has errors. */
export function smallSet(changes: FileChanges = {}): PolicySet {
  const read = readPolicySet(POLICY_TOOLS, withChanges(changes), { allowLab: true });
  if (!read.ok) throw new Error(read.error.detail);
  return read.value.set;
}

/** The problems of the small set with some files replaced, one per line. */
export function problemsOf(changes: FileChanges, allowLab = true): string {
  const read = readPolicySet(POLICY_TOOLS, withChanges(changes), { allowLab });
  return read.ok ? '' : `${read.error.code}\n${read.error.detail}`;
}

/** An open by a member of staff that the small set allows. */
export const OPEN: PolicyRequest = {
  operation: 'open',
  user: { id: 'x', groups: ['staff'], area: 'main', roles: [], clearance: 'secret' },
  device: { id: 'd', area: 'main', compliant: true },
  application: 'editor',
  file: { id: 'f', label: 'public', area: 'main', owner: null },
  destination: null,
  toLabel: null,
  situation: {
    hour: 10,
    weekday: 3,
    offline: false,
    justified: false,
    count: 1,
    bytes: 0,
    people: 0,
    findings: [],
    session: 's',
  },
  approvals: [],
};
