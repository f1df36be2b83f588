/** What a person sees when something fails: one line, and never a stack. */
import { expect } from '@jest/globals';
import type { Ran } from './run-program.js';

/** One line on standard error that matches, nothing on standard output, this exit status. */
export function expectOneLine(ran: Ran, status: number, says: RegExp): void {
  expect(ran.stderr).toMatch(says);
  expect(ran.stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(ran.stderr).toMatch(/^sealway: .*\n$/);
  expect([ran.status, ran.stdout]).toEqual([status, '']);
}
