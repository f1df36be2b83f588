/** Finds source files, and test files that no suite ran: a test that never runs protects nothing. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './run.mjs';

const NATIVE = 'src/native-bridge/native';

/** Every file below `folder` (relative to the checkout) whose name `pattern` matches; sorted. */
export function filesBelow(folder, pattern) {
  const at = join(ROOT, folder);
  if (!existsSync(at)) return [];
  return readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('/node_modules/'))
    .sort();
}

/** TypeScript tests that are in no jest project's results. */
export function reportForgottenTests(report, ran) {
  for (const folder of ['src', 'test', 'bench', 'scripts']) {
    for (const file of filesBelow(folder, /\.(test|spec)\.[cm]?[jt]sx?$/)) {
      if (!ran.has(file)) report.fail(file.replace(`${ROOT}/`, ''), 'no suite ran this test file');
    }
  }
}

/** C++ tests or fuzz targets that `build` (a CMake folder) does not compile. */
export function reportForgottenNative(report, build, pattern) {
  const commands = join(ROOT, build, 'compile_commands.json');
  const compiled = existsSync(commands)
    ? new Set(JSON.parse(readFileSync(commands, 'utf8')).map(({ file }) => file))
    : new Set();
  for (const file of filesBelow(NATIVE, pattern)) {
    if (!compiled.has(file)) {
      report.fail(file.replace(`${ROOT}/`, ''), `no CMake target in ${build} compiles this file`);
    }
  }
}

export const nativeFiles = (pattern) => filesBelow(NATIVE, pattern);
