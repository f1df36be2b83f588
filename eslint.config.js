/**
 * Lint. Style has a reason for each rule; a rule that is switched off on a line says why after `--`.
 *
 * The layer law is dependency-cruiser's (it sees paths of any length); the few import rules here
 * show the commonest mistakes in the editor, before the cruiser runs.
 */
import comments from '@eslint-community/eslint-plugin-eslint-comments/configs';
import js from '@eslint/js';
import jest from 'eslint-plugin-jest';
import tsdoc from 'eslint-plugin-tsdoc';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const TYPESCRIPT = ['src/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'];
const TESTS = ['**/*.test.ts'];
const SCRIPTS = ['**/*.js', '**/*.mjs'];

const layers = (...names) => names.map((name) => `src/${name}/**/*.ts`);

/** Imports that the layer law forbids, as an editor can see them: by the text of the path. */
function mayNotImport(forbidden, reason) {
  const paths = forbidden.map((layer) => `(^|/)\\.\\./${layer}/`).join('|');
  return {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          { regex: paths, message: reason },
          { regex: '(^|/)(test|bench)/', message: 'The product never imports test or bench code.' },
        ],
      },
    ],
  };
}

/** As above, and no Node: built-in modules by any name. */
function pure(forbidden, reason) {
  const rule = mayNotImport(forbidden, reason);
  rule['no-restricted-imports'][1].patterns.push({
    regex: '^(node:|(fs|path|os|crypto|child_process|net|http|https|url|util|stream)(/|$))',
    message: 'This layer runs without Node: take what you need as a parameter.',
  });
  return rule;
}

export default defineConfig(
  globalIgnores(['dist/', 'build/', 'coverage/', 'node_modules/', '.stamps/']),
  js.configs.recommended,
  comments.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' },
    rules: {
      '@eslint-community/eslint-comments/require-description': 'error',
      '@eslint-community/eslint-comments/no-unlimited-disable': 'error',
      '@eslint-community/eslint-comments/disable-enable-pair': ['error', { allowWholeFile: true }],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: TYPESCRIPT,
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { tsdoc },
    languageOptions: {
      parserOptions: { project: './tsconfig.lint.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // Log through platform/logger, which redacts; write to people through the CLI's Output.
      'no-console': 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'tsdoc/syntax': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Export by name: one name everywhere.' },
      ],
    },
  },
  // A declaration file describes another package as it is, default export included.
  { files: ['**/*.d.ts'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: layers('core'),
    ignores: TESTS,
    rules: pure(
      ['contracts', 'platform', 'native-bridge', 'agent', 'cli', 'main', 'console'],
      'core imports nothing but core.',
    ),
  },
  {
    files: layers('contracts'),
    ignores: TESTS,
    rules: pure(
      ['platform', 'native-bridge', 'agent', 'cli', 'main', 'console'],
      'contracts may import core only.',
    ),
  },
  {
    files: layers('platform'),
    ignores: TESTS,
    rules: mayNotImport(
      ['contracts', 'native-bridge', 'agent', 'cli', 'main', 'console'],
      'platform may import core only.',
    ),
  },
  {
    files: layers('native-bridge'),
    ignores: TESTS,
    rules: mayNotImport(
      ['agent', 'cli', 'main', 'console'],
      'native-bridge may import core, contracts and platform.',
    ),
  },
  {
    files: layers('cli', 'main', 'console/server'),
    ignores: TESTS,
    rules: mayNotImport(
      ['native-bridge', 'agent'],
      'This process talks to the agent through its local API.',
    ),
  },
  {
    files: [...TESTS, 'test/**/*.ts'],
    plugins: { jest },
    languageOptions: { globals: jest.environments.globals.globals },
    rules: {
      'jest/expect-expect': ['error', { assertFunctionNames: ['expect', 'expect*', 'fc.assert'] }],
      'jest/no-focused-tests': 'error',
      'jest/no-disabled-tests': 'error',
      'jest/no-identical-title': 'error',
      'jest/no-standalone-expect': 'off',
      'jest/valid-expect': 'error',
      'jest/no-conditional-expect': 'off',
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: SCRIPTS,
    languageOptions: {
      globals: {
        process: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
      },
    },
  },
);
