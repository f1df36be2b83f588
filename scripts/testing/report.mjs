/**
 * Counts and prints what the stages found.
 *
 * A check (lint, one fuzz target) counts as one test. A skip must name its reason in the test's own
 * name, `… [skipped: REASON]`; a skip without one is a failure, for nobody could judge it.
 */

const SKIP_REASON = /\[skipped: ([^\]]+)\]/;

export class Report {
  passed = 0;
  failures = [];
  skips = [];

  pass(count = 1) {
    this.passed += count;
  }

  fail(name, detail = '') {
    this.failures.push({ name, detail });
  }

  /** @param {boolean} allowed - false where this machine has all that the test needs. */
  skip(name, allowed, reason = SKIP_REASON.exec(name)?.[1]) {
    if (reason === undefined) this.fail(name, 'skipped without a reason in its name');
    else if (!allowed) this.fail(name, `skipped (${reason}) on a machine that has all it needs`);
    else this.skips.push({ name, reason });
  }

  get total() {
    return this.passed + this.failures.length + this.skips.length;
  }

  print() {
    for (const { name, reason } of this.skips) write(`skipped: ${name} — ${reason}`);
    for (const { name, detail } of this.failures) {
      write(`FAILED: ${name}${detail === '' ? '' : `\n    ${detail.replaceAll('\n', '\n    ')}`}`);
    }
    const { passed, failures, skips } = this;
    const counts = [
      `${String(passed)} passed`,
      `${String(failures.length)} failed`,
      `${String(skips.length)} skipped`,
    ];
    write(counts.join(', '));
  }
}

export function write(line) {
  process.stdout.write(`${line}\n`);
}
