/**
 * The outcome of an operation that is expected to fail sometimes.
 *
 * Layer: core. No I/O, no text for people: messages live in the catalogue (`catalogue.ts`).
 * Not here: decisions (a value of their own, `policy/`) and bugs (those throw).
 */
import type { ErrorCode } from './catalogue.js';

/** Either a value or an expected failure. Bugs throw; this never does. */
export type Result<T, E extends AppError = AppError> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

/**
 * An expected failure.
 *
 * `code` is the only field that code may branch on. `detail` says what was wrong and where, for a
 * person who can act on it; it never holds plaintext, key material or the contents of a document.
 */
export interface AppError<C extends ErrorCode = ErrorCode> {
  readonly code: C;
  readonly detail: string;
  readonly cause?: unknown;
}

/** Wraps a value as a success. */
export function succeed<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** Makes a failure of `code`; `detail` names what was wrong and where. */
export function fail<C extends ErrorCode>(
  code: C,
  detail: string,
  cause?: unknown,
): { readonly ok: false; readonly error: AppError<C> } {
  return { ok: false, error: cause === undefined ? { code, detail } : { code, detail, cause } };
}
