/**
 * The layer law. One row a layer: what it may import. Every exception carries its reason.
 *
 * A type-only import counts (`tsPreCompilationDeps`): a type that crosses a fence brings the
 * thought behind it along. Tests may import anything; nothing may import a test.
 */
const LAYERS = {
  core: [],
  contracts: ['core'],
  platform: ['core'],
  'native-bridge': ['core', 'contracts', 'platform'],
  agent: ['core', 'contracts', 'platform', 'native-bridge'],
  'console/server': ['core', 'contracts', 'platform'],
  cli: ['core', 'contracts', 'platform'],
  main: ['core', 'contracts', 'platform'],
  preload: ['core', 'contracts'],
  renderer: ['core', 'contracts'],
  'console/web': ['core', 'contracts'],
};

const TEST = '\\.test\\.ts$';
const PURE = '^src/(core|contracts|preload|renderer|console/web)/';

const layerRules = Object.entries(LAYERS).map(([layer, allowed]) => ({
  name: `layer-${layer.replace('/', '-')}`,
  severity: 'error',
  comment: `src/${layer} may import only: ${[layer, ...allowed].join(', ')}`,
  from: { path: `^src/${layer}/`, pathNot: TEST },
  to: { path: '^(src|test|bench)/', pathNot: [layer, ...allowed].map((name) => `^src/${name}/`) },
}));

/** What touches the machine, and the only layers that may hold it. */
const OWNED_PACKAGES = [
  { name: 'sqlite', packages: 'better-sqlite3|kysely', owners: 'platform|agent|console/server' },
  { name: 'keychain', packages: '@github/keytar', owners: 'native-bridge' },
  { name: 'http-server', packages: 'fastify', owners: 'agent|console/server' },
  { name: 'log', packages: 'winston', owners: 'platform' },
  { name: 'watch', packages: 'chokidar', owners: 'platform|native-bridge|agent' },
  { name: 'command-line', packages: 'commander', owners: 'cli' },
];

const packageRules = OWNED_PACKAGES.map(({ name, packages, owners }) => ({
  name: `package-${name}`,
  severity: 'error',
  comment: `${packages} belongs to ${owners}; another layer asks one of those`,
  from: { path: '^src/', pathNot: [`^src/(${owners})/`, TEST] },
  to: { path: `(^|node_modules/)(${packages})(/|$)` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'layer-unknown',
      severity: 'error',
      comment: 'Each folder in src is a row of LAYERS. A new one starts with an ADR.',
      from: {},
      to: { path: '^src/', pathNot: Object.keys(LAYERS).map((layer) => `^src/${layer}/`) },
    },
    ...layerRules,
    {
      name: 'ui-never-reaches-the-agent',
      severity: 'error',
      comment: 'However long the path: what a page can reach, a page can call.',
      from: { path: '^src/(renderer|console/web|preload)/' },
      to: { path: '^src/(agent|native-bridge)/', reachable: true },
    },
    {
      name: 'pure-layers-know-no-node',
      severity: 'error',
      comment: 'core and contracts also run in a page and in tests without a machine.',
      from: { path: PURE, pathNot: TEST },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'pure-layers-take-no-package-that-loads-from-disk',
      severity: 'error',
      comment: 'cedar-wasm/nodejs reads its module with fs; core is handed the engine instead.',
      from: { path: '^src/(core|contracts)/', pathNot: TEST },
      to: { path: '@cedar-policy/cedar-wasm/nodejs', dependencyTypesNot: ['type-only'] },
    },
    ...packageRules,
    {
      name: 'no-cycle',
      severity: 'error',
      comment: 'Two files that need each other are one idea in two places.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'nothing-imports-a-test',
      severity: 'error',
      comment: 'Support code for tests lives in test/support.',
      from: {},
      to: { path: TEST },
    },
    {
      name: 'no-development-package-in-the-product',
      severity: 'error',
      comment: 'Installed machines do not have it.',
      from: { path: '^src/', pathNot: TEST },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: '@types/' },
    },
    {
      name: 'every-package-is-declared',
      severity: 'error',
      comment: 'A package that only another package brings along disappears with it.',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'every-import-resolves',
      severity: 'error',
      comment: 'The file does not exist, or exists under another name.',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|build)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.lint.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['main', 'types'],
    },
  },
};
