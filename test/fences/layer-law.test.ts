/**
 * The fences themselves: each kind of violation is planted in a tree of its own and must be caught.
 *
 * Layer: test. A rule that no longer matches looks exactly like a clean tree; this tells them apart.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const RULES = [
  '.dependency-cruiser.mjs',
  'tsconfig.base.json',
  'tsconfig.lint.json',
  'package.json',
];
const CRUISE = ['--config', '.dependency-cruiser.mjs', 'src'];

const trees: string[] = [];

/** A tree with our rules and `files`; the tools run there as they run here. */
function plant(files: Readonly<Record<string, string>>): string {
  const tree = mkdtempSync(join(tmpdir(), 'sealway-fences-'));
  trees.push(tree);
  for (const file of RULES) cpSync(join(ROOT, file), join(tree, file));
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    const at = join(tree, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, text);
  }
  return tree;
}

interface ToolRun {
  readonly status: number;
  readonly output: string;
}

function runTool(tree: string, tool: string, words: readonly string[]): ToolRun {
  try {
    const program = join(ROOT, 'node_modules/.bin', tool);
    return { status: 0, output: execFileSync(program, words, { cwd: tree, encoding: 'utf8' }) };
  } catch (error) {
    const { status, stdout } = error as { status: number; stdout: string };
    return { status, output: stdout };
  }
}

afterAll(() => {
  for (const tree of trees) rmSync(tree, { recursive: true });
});

describe('dependency-cruiser', () => {
  let run: ToolRun;

  beforeAll(() => {
    const tree = plant({
      'src/platform/value.ts': 'export const value = 1;\n',
      'src/utils/value.ts': 'export const value = 1;\n',
      'src/agent/value.ts': 'export const value = 1;\nexport interface T { readonly x: 1 }\n',
      'src/core/up.ts': "export { value } from '../platform/value.js';\n",
      'src/core/bridge.ts': "export { value } from '../agent/value.js';\n",
      'src/renderer/page.ts': "export { value } from '../core/bridge.js';\n",
      'src/cli/type.ts': "import type { T } from '../agent/value.js';\nexport type A = T;\n",
      'src/core/node.ts': "export { readFileSync } from 'node:fs';\n",
      'src/cli/keys.ts': "export { getPassword } from '@github/keytar';\n",
      'src/core/tool.ts': "export { assert } from 'fast-check';\n",
      'src/platform/leak.ts': "export { value } from '../utils/value.js';\n",
      'src/core/one.ts': "export { two } from './two.js';\nexport const one = 1;\n",
      'src/core/two.ts': "import { one } from './one.js';\nexport const two = one;\n",
      'src/agent/law.ts': "export { value } from '../platform/value.js';\n",
    });
    run = runTool(tree, 'depcruise', CRUISE);
  });

  it.each([
    { id: 'direct-import', says: 'layer-core: src/core/up.ts → src/platform/value.ts' },
    { id: 'type-only-import', says: 'layer-cli: src/cli/type.ts → src/agent/value.ts' },
    { id: 'transitive', says: 'ui-never-reaches-the-agent: src/renderer/page.ts → src/agent/' },
    { id: 'node-in-core', says: 'pure-layers-know-no-node: src/core/node.ts → fs' },
    { id: 'keychain-in-cli', says: 'package-keychain: src/cli/keys.ts → ' },
    { id: 'unknown-folder', says: 'layer-unknown: src/platform/leak.ts → src/utils/value.ts' },
    { id: 'dev-package', says: 'no-development-package-in-the-product: src/core/tool.ts' },
    { id: 'cycle', says: 'no-cycle: src/core/one.ts' },
  ])('$id is an error', ({ says }) => {
    expect(run.output).toContain(`error ${says}`);
  });

  it('lawful-import is not reported', () => {
    expect(run.output).not.toContain('src/agent/law.ts');
  });

  it('fails the run', () => {
    expect(run.status).not.toBe(0);
  });
});

describe('core compiles without a machine', () => {
  let run: ToolRun;

  beforeAll(() => {
    const tree = plant({
      'src/core/node-global.ts': 'export const here = process.cwd();\n',
      'src/core/dom-global.ts': 'export const title = document.title;\n',
      'src/core/node-module.ts': "export { sep } from 'node:path';\n",
      'src/core/enum.ts': 'export enum Bad { A }\n',
      'src/core/lawful.ts': 'export const two = 2;\n',
    });
    cpSync(join(ROOT, 'src/core/tsconfig.json'), join(tree, 'src/core/tsconfig.json'));
    run = runTool(tree, 'tsc', ['-b', 'src/core', '--pretty', 'false']);
  });

  it.each([
    { id: 'node-global', says: "node-global.ts(1,21): error TS2591: Cannot find name 'process'" },
    { id: 'dom-global', says: "dom-global.ts(1,22): error TS2584: Cannot find name 'document'" },
    {
      id: 'node-module',
      says: "node-module.ts(1,21): error TS2307: Cannot find module 'node:path'",
    },
    { id: 'enum', says: 'enum.ts(1,13): error TS1294' },
  ])('$id is an error', ({ says }) => {
    expect(run.output).toContain(says);
  });

  it('lawful-file is not reported', () => {
    expect(run.output).not.toContain('lawful.ts');
  });
});
