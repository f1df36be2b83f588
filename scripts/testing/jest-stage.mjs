/**
 * Runs one project of jest.config.js and counts its tests.
 *
 * Jest's own summary is not trusted for the verdict: the JSON it writes is counted, a suite that
 * could not run is a failure, and each file that ran is remembered for `files.mjs`.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RESULTS, ROOT, run } from './run.mjs';

const MODULES = '--experimental-vm-modules --disable-warning=ExperimentalWarning';

function countSuite(report, suite, maySkip) {
  const file = suite.name.replace(`${ROOT}/`, '');
  if (suite.status === 'failed' && suite.assertionResults.length === 0) {
    report.fail(file, suite.message.trim().slice(0, 4000));
  }
  for (const { fullName, status, failureMessages } of suite.assertionResults) {
    const name = `${file}: ${fullName}`;
    if (status === 'passed') report.pass();
    else if (status === 'failed') report.fail(name, (failureMessages[0] ?? '').slice(0, 2000));
    else report.skip(name, maySkip);
  }
}

/**
 * @param {Set<string>} ran - the test files that ran; this stage adds its own.
 * @param options.maySkip - false where a skip counts as a failure.
 * @param options.folder - a stage whose folder does not exist yet has nothing to run.
 */
export async function jestStage(report, ran, project, { maySkip, folder, words = [], minutes }) {
  if (!existsSync(join(ROOT, folder))) return;
  const before = report.total;
  const results = join(RESULTS, `jest-${project}.json`);
  rmSync(results, { force: true });
  const jest = ['node', 'node_modules/jest/bin/jest.js', '--selectProjects', project];
  const command = [...jest, '--ci', '--forceExit', '--json', `--outputFile=${results}`, ...words];
  const options = { quiet: true, minutes, env: { NODE_OPTIONS: MODULES } };
  const { ok, why, output } = await run(`jest-${project}`, command, options);
  if (!existsSync(results)) {
    report.fail(`jest ${project}`, `no results (${why})\n${output.trim().slice(-4000)}`);
    return;
  }
  const { testResults } = JSON.parse(readFileSync(results, 'utf8'));
  const failuresBefore = report.failures.length;
  for (const suite of testResults) {
    ran.add(suite.name);
    countSuite(report, suite, maySkip);
  }
  if (report.total === before) report.fail(`jest ${project}`, `no test ran in ${folder} (${why})`);
  // A crash after the last test, an unhandled rejection or an open handle ended by the limit.
  if (!ok && report.failures.length === failuresBefore) {
    report.fail(`jest ${project}`, `all tests passed, yet: ${why}\n${output.trim().slice(-4000)}`);
  }
}
