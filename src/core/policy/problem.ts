/**
 * A fault in a policy set: which file, which place, what is wrong, what would be right.
 *
 * Layer: core. Values and their one-line form. Not here: finding the faults.
 */
import { fail, type AppError } from '../errors/result.js';

export type Severity = 'error' | 'warning';

/** `line` and `column` count from 1; `line` 0 means the file as a whole. */
export interface PolicyProblem {
  readonly severity: Severity;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** What would be right, as a phrase; empty when the message says it all. */
  readonly expected: string;
}

/** A place in a file of the set. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A fault that keeps the set from loading. */
export function errorAt(place: Place, message: string, expected = ''): PolicyProblem {
  return { severity: 'error', ...place, message, expected };
}

/** A fault that a person should see and that does not keep the set from loading. */
export function warningAt(place: Place, message: string, expected = ''): PolicyProblem {
  return { severity: 'warning', ...place, message, expected };
}

/** The file as a whole. */
export function wholeFile(file: string): Place {
  return { file, line: 0, column: 0 };
}

/** `file:line:column: message (expected …)`, the form that editors make clickable. */
export function formatProblem(problem: PolicyProblem): string {
  const { file, line, column, message, expected, severity } = problem;
  const place = line > 0 ? `${file}:${String(line)}:${String(column)}` : file;
  const tail = expected === '' ? '' : ` (${expected})`;
  return `${place}: ${severity === 'warning' ? 'warning: ' : ''}${message}${tail}`;
}

/** Reading order: by file, then by place. */
export function sortProblems(problems: readonly PolicyProblem[]): readonly PolicyProblem[] {
  return [...problems].sort(
    (a, b) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
  );
}

export function hasErrors(problems: readonly PolicyProblem[]): boolean {
  return problems.some(({ severity }) => severity === 'error');
}

/** The problems as one expected failure; the detail carries every error, one per line. */
export function invalidSet(problems: readonly PolicyProblem[]): {
  readonly ok: false;
  readonly error: AppError<'E_POLICY_INVALID'>;
} {
  const lines = sortProblems(problems)
    .filter(({ severity }) => severity === 'error')
    .map(formatProblem);
  return fail('E_POLICY_INVALID', lines.join('\n'));
}
