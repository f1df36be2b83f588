/**
 * Jest: three projects, one for each way in which tests need the machine.
 *
 * Tests run as ES modules (NODE_OPTIONS in scripts/test and package.json), so that what is tested
 * is loaded as Node loads it; swc only strips the types. `.js` in an import of ours means `.ts`.
 */
const SWC = {
  jsc: {
    parser: { syntax: 'typescript' },
    target: 'es2022',
    keepClassNames: true,
    preserveAllComments: false,
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};

function project(displayName, testMatch, more = {}) {
  return {
    displayName,
    rootDir: import.meta.dirname,
    roots: ['<rootDir>/src', '<rootDir>/test', '<rootDir>/bench'],
    testMatch,
    testEnvironment: 'node',
    extensionsToTreatAsEsm: ['.ts'],
    transform: { '\\.ts$': ['@swc/jest', SWC] },
    moduleNameMapper: {
      '^#src/(.*)\\.js$': '<rootDir>/src/$1.ts',
      '^(\\.{1,2}/.*)\\.js$': '$1',
    },
    modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/build/'],
    ...more,
  };
}

const PRIVILEGED = '<rootDir>/test/privileged/**/*.test.ts';
const E2E = '<rootDir>/test/e2e/**/*.test.ts';

export default {
  passWithNoTests: false,
  testTimeout: 30_000,
  projects: [
    project('unit', ['<rootDir>/{src,test,bench}/**/*.test.ts'], {
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/(privileged|e2e)/'],
    }),
    project('privileged', [PRIVILEGED]),
    project('e2e', [E2E]),
  ],
};
