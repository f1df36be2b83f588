/**
 * The test run: stages in order, one timed line each, and one last line with the counts.
 *
 * A stage that fails does not stop the later ones: one run tells everything that is wrong.
 */
import { accessSync, constants } from 'node:fs';
import { reportForgottenTests } from './files.mjs';
import { jestStage } from './jest-stage.mjs';
import { nativeStage } from './native-stage.mjs';
import { Report, write } from './report.mjs';
import { check } from './run.mjs';

const bin = (name) => `node_modules/.bin/${name}`;

/** Root with FUSE has all that the privileged tests need, so there a skip hides something. */
function isFullMachine() {
  if (process.getuid?.() !== 0) return false;
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const report = new Report();
const ran = new Set();
const maySkip = !isFullMachine();

const STAGES = {
  build: () => check(report, 'build', ['scripts/build', 'ts', 'native'], { minutes: 30 }),
  lint: async () => {
    await check(report, 'eslint', [bin('eslint'), '--max-warnings', '0', '.']);
    await check(report, 'prettier', [bin('prettier'), '--check', '--log-level', 'warn', '.']);
    await check(report, 'knip', [bin('knip'), '--no-progress']);
  },
  types: () => check(report, 'types', [bin('tsc'), '-b']),
  layers: () =>
    check(report, 'layers', [
      ...[bin('depcruise'), '--config', '.dependency-cruiser.mjs'],
      ...['src', 'test', 'bench'],
    ]),
  unit: () => jestStage(report, ran, 'unit', { folder: 'src', maySkip: true, minutes: 15 }),
  native: () => nativeStage(report, maySkip),
  privileged: () =>
    jestStage(report, ran, 'privileged', {
      ...{ folder: 'test/privileged', maySkip, minutes: 25 },
      words: ['--runInBand'],
    }),
  e2e: () =>
    jestStage(report, ran, 'e2e', {
      ...{ folder: 'test/e2e', maySkip, minutes: 35 },
      words: ['--runInBand'],
    }),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(STAGES, name));
if (unknown.length > 0) {
  process.stderr.write(`unknown stage '${unknown[0]}'; one of ${Object.keys(STAGES).join(', ')}\n`);
  process.exit(2);
}

for (const [name, stage] of Object.entries(STAGES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const start = process.hrtime.bigint();
  const { passed, failures, skips } = report;
  const before = { passed, failed: failures.length, skipped: skips.length };
  await stage();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const counts = [
    `${String(report.passed - before.passed)} ok`,
    `${String(report.failures.length - before.failed)} bad`,
    `${String(report.skips.length - before.skipped)} left out`,
  ];
  write(`stage ${name}: ${counts.join(', ')} in ${seconds.toFixed(1)} s`);
}
if (wanted.length === 0) reportForgottenTests(report, ran);
report.print();
process.exitCode = report.failures.length === 0 ? 0 : 1;
