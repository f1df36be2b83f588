/**
 * Cuts a Cedar file into its policies and says where each stands.
 *
 * Layer: core. Cedar reports places relative to the text it was handed; handing it one policy at
 * a time, each with a known start, gives every error a line, also when several policies are wrong.
 * A scanner, not a parser: it knows strings, comments and `;`, and leaves the rest to Cedar.
 */

/** `offset` is the UTF-16 offset of `text` in its file. */
export interface PolicySource {
  readonly file: string;
  readonly offset: number;
  readonly text: string;
  /** `false` when the file ended before the `;`. */
  readonly terminated: boolean;
}

/** End of the string literal that starts at `start`; the end of the text if it never closes. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}

function endOfLine(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end < 0 ? text.length : end;
}

/** Next offset after the token at `i`; comments and strings are one token. */
function skip(text: string, i: number): number {
  if (text[i] === '"') return endOfString(text, i);
  if (text[i] === '/' && text[i + 1] === '/') return endOfLine(text, i);
  return i + 1;
}

/** First offset at or after `start` that is neither blank nor comment. */
function startOfPolicy(text: string, start: number): number {
  let i = start;
  while (i < text.length) {
    if (/\s/u.test(text[i] ?? '')) i += 1;
    else if (text[i] === '/' && text[i + 1] === '/') i = endOfLine(text, i);
    else return i;
  }
  return i;
}

/** Every policy of `text`, in order. An unfinished last one is returned too, for Cedar to reject. */
export function splitPolicies(file: string, text: string): readonly PolicySource[] {
  const policies: PolicySource[] = [];
  let start = startOfPolicy(text, 0);
  let i = start;
  while (i < text.length) {
    if (text[i] === ';') {
      policies.push({ file, offset: start, text: text.slice(start, i + 1), terminated: true });
      start = startOfPolicy(text, i + 1);
      i = start;
    } else i = skip(text, i);
  }
  const rest = text.slice(start);
  if (rest !== '') policies.push({ file, offset: start, text: rest, terminated: false });
  return policies;
}
