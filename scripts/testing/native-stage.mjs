/**
 * The native stage: GoogleTest under sanitizers, format, lint and a short run of each fuzz target.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { nativeFiles, reportForgottenNative } from './files.mjs';
import { check, RESULTS, ROOT, run } from './run.mjs';

const FUZZ_SECONDS = 20;
const TIDY_STAMPS = join(ROOT, 'build', 'clang-tidy');

const SANITIZERS = {
  ASAN_OPTIONS: 'detect_leaks=1:abort_on_error=1:strict_string_checks=1',
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
};

/** Text between `open` and `close`, entities resolved. */
function decode(text) {
  const entities = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => entities[name]);
}

function countCtest(report, xml, maySkip) {
  for (const [, attributes, , body = ''] of xml.matchAll(
    /<testcase ([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const name = `native: ${decode(/name="([^"]*)"/.exec(attributes)?.[1] ?? '?')}`;
    const status = /status="([^"]*)"/.exec(attributes)?.[1];
    const output = decode(/<system-out>([\s\S]*?)<\/system-out>/.exec(body)?.[1] ?? '');
    if (status === 'run') report.pass();
    else if (status === 'notrun' || status === 'disabled') {
      report.skip(name, maySkip, /Skipped\s*\n([^\n]+)/.exec(output)?.[1]?.trim());
    } else report.fail(name, output.trim().slice(-4000));
  }
}

async function unitTests(report, maySkip) {
  const before = report.total;
  const results = join(RESULTS, 'ctest.xml');
  rmSync(results, { force: true });
  const { ok, why, output } = await run(
    'ctest',
    ['ctest', '--test-dir', 'build/native-asan', '--output-junit', results, '--timeout', '120'],
    { quiet: true, env: SANITIZERS },
  );
  const failures = report.failures.length;
  if (existsSync(results)) countCtest(report, readFileSync(results, 'utf8'), maySkip);
  if (report.total === before) report.fail('ctest', `no test ran (${why})\n${output.slice(-2000)}`);
  else if (!ok && report.failures.length === failures) report.fail('ctest', `${why}\n${output}`);
}

/** Lints the files whose text, headers or rules changed since they were last found clean. */
async function clangTidy(report) {
  mkdirSync(TIDY_STAMPS, { recursive: true });
  const hash = (paths) => {
    const digest = createHash('sha256');
    for (const path of paths) digest.update(readFileSync(path));
    return digest;
  };
  const common = hash([join(ROOT, '.clang-tidy'), ...nativeFiles(/\.h$/)]).digest();
  const stale = nativeFiles(/\.cpp$/)
    .filter((file) => !/_(fuzz|test)\.cpp$/.test(file))
    .map((file) => ({ file, stamp: hash([file]).update(common).digest('hex') }))
    .filter(({ stamp }) => !existsSync(join(TIDY_STAMPS, stamp)));
  if (stale.length === 0) return report.pass();
  // Two at a time: one per core of the smallest machine we build on.
  const list = stale.map(({ file }) => file);
  const tidy = ['clang-tidy', '--quiet', '-p', 'build/native-asan'];
  const ok = await check(report, 'clang-tidy', ['xargs', '-0', '-n', '1', '-P', '2', ...tidy], {
    input: list.join('\0'),
    minutes: 20,
  });
  if (ok) for (const { stamp } of stale) writeFileSync(join(TIDY_STAMPS, stamp), '');
}

/** Each target runs over its committed seeds; what it finds new goes to build/, never to git. */
async function fuzz(report) {
  if (!(await check(report, 'build fuzz', ['scripts/build', 'fuzz']))) return;
  reportForgottenNative(report, 'build/native-fuzz', /_fuzz\.cpp$/);
  const list = readFileSync(join(ROOT, 'build/native-fuzz/fuzzers.txt'), 'utf8');
  for (const line of list.split('\n').filter(Boolean)) {
    const [program, seeds] = line.split('\t');
    const corpus = join(ROOT, 'build', 'fuzz-corpus', basename(program));
    mkdirSync(corpus, { recursive: true });
    await check(
      report,
      `fuzz ${basename(program)}`,
      [
        program,
        `-max_total_time=${String(FUZZ_SECONDS)}`,
        '-timeout=10',
        '-rss_limit_mb=2048',
        '-print_final_stats=1',
        `-artifact_prefix=${corpus}-`,
        corpus,
        seeds,
      ],
      { env: SANITIZERS, minutes: 5 },
    );
  }
}

export async function nativeStage(report, maySkip) {
  if (nativeFiles(/\.cpp$/).length === 0) return;
  const sources = nativeFiles(/\.(cpp|h)$/);
  await check(report, 'clang-format', ['clang-format', '--dry-run', '--Werror', ...sources]);
  if (await check(report, 'build asan', ['scripts/build', 'asan'], { minutes: 30 })) {
    reportForgottenNative(report, 'build/native-asan', /_test\.cpp$/);
    await unitTests(report, maySkip);
    // Minutes of two cores: it belongs to the long run.
    if (process.env.SEALWAY_TEST_LONG === '1') await clangTidy(report);
  }
  if (nativeFiles(/_fuzz\.cpp$/).length > 0) await fuzz(report);
}
