/**
 * Obligations and approvals: what a rule attaches to its verdict, and the grammar of both.
 *
 * Layer: core. Spec: docs/spec/policy-set-v1.md, section 4 ("Annotations").
 * Not here: carrying an obligation out; that is the guard's, the print proxy's or the agent's work.
 */

const NAME = '[a-z0-9][a-z0-9_-]{0,63}';

/** One row per obligation: the form that it has in an annotation. */
const OBLIGATION_FORMS = [
  { form: 'watermark', pattern: /^watermark$/u },
  { form: 'justify', pattern: /^justify$/u },
  { form: 'text-only', pattern: /^text-only$/u },
  { form: 'notify:WHO', pattern: new RegExp(`^notify:${NAME}$`, 'u') },
  { form: 'max-bytes:N', pattern: /^max-bytes:[1-9][0-9]{0,14}$/u },
] as const;

/** `area` is the area of the file; any other name is a group. Four eyes: two different approvers. */
const ASK_FORMS = [
  { form: 'approver:area', pattern: new RegExp(`^approver:${NAME}$`, 'u') },
  { form: 'four-eyes:area', pattern: new RegExp(`^four-eyes:${NAME}$`, 'u') },
] as const;

/** The values of one annotation, or the first value that is none, with what would be. */
export type AnnotationValues =
  | { readonly ok: true; readonly values: readonly string[] }
  | { readonly ok: false; readonly wrong: string; readonly expected: string };

interface Form {
  readonly form: string;
  readonly pattern: RegExp;
}

function parseList(text: string, forms: readonly Form[]): AnnotationValues {
  const values = text.split(',').map((value) => value.trim());
  const wrong = values.find((value) => !forms.some(({ pattern }) => pattern.test(value)));
  if (wrong === undefined) return { ok: true, values: [...new Set(values)] };
  return { ok: false, wrong, expected: `one of: ${forms.map(({ form }) => form).join(', ')}` };
}

/** Reads `@obligation("…")`: comma-separated, blanks allowed, at least one. */
export function parseObligations(text: string): AnnotationValues {
  return parseList(text, OBLIGATION_FORMS);
}

/** Reads `@ask("…")`: comma-separated, each of them needed. */
export function parseAsk(text: string): AnnotationValues {
  return parseList(text, ASK_FORMS);
}

/** Obligations that mean something when the answer is no: somebody may still be told. */
export function fitsForbid(obligation: string): boolean {
  return obligation.startsWith('notify:');
}
