/**
 * One YAML file of a policy set against one schema, with a line for every fault.
 *
 * Layer: core. Strict: unknown keys, duplicate keys, tags and keys that are no text are faults.
 * Aliases are bounded, so that a few lines cannot stand for gigabytes; anything the parser
 * cannot take (such as nesting beyond its stack) is a fault too, never an exception.
 */
import { isNode, isPair, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';
import type { z } from 'zod';
import { errorAt, wholeFile, type Place, type PolicyProblem } from './problem.js';
import { knownKeys } from './schema-keys.js';

/** Faults reported per file; more would hide the first. */
const MOST_PROBLEMS = 50;
const MOST_ALIASES = 100;

export type YamlOutcome<T> =
  | { readonly ok: true; readonly value: T; readonly places: YamlPlaces }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] };

/** Finds the place of a value by its path; for checks beyond the schema. */
export type YamlPlaces = (path: readonly PropertyKey[]) => Place;

interface Parsed {
  readonly file: string;
  readonly document: Document;
  readonly lines: LineCounter;
}

function placeAt({ file, lines }: Parsed, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { file, line: Math.max(1, line), column: Math.max(1, col) };
}

/** Place of the value at `path`, or of the nearest thing around it that exists. */
function placeOf(parsed: Parsed, path: readonly PropertyKey[]): Place {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = parsed.document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return placeAt(parsed, node.range[0]);
  }
  return placeAt(parsed, 0);
}

/** Place of a key in the map at `path`. */
function placeOfKey(parsed: Parsed, path: readonly PropertyKey[], key: string): Place {
  const map: unknown =
    path.length === 0 ? parsed.document.contents : parsed.document.getIn(path, true);
  let found = placeOf(parsed, path);
  if (!isNode(map)) return found;
  visit(map, {
    Pair(_, pair) {
      if (!isScalar(pair.key) || pair.key.value !== key || !pair.key.range) return visit.SKIP;
      found = placeAt(parsed, pair.key.range[0]);
      return visit.BREAK;
    },
  });
  return found;
}

function syntaxProblems(parsed: Parsed): readonly PolicyProblem[] {
  const { document } = parsed;
  const problems = [...document.errors, ...document.warnings].map((fault) =>
    errorAt(placeAt(parsed, fault.pos[0]), fault.message),
  );
  visit(document, {
    Pair(_, pair) {
      if (isPair(pair) && isScalar(pair.key) && typeof pair.key.value === 'string')
        return undefined;
      const offset = isNode(pair.key) && pair.key.range ? pair.key.range[0] : 0;
      problems.push(errorAt(placeAt(parsed, offset), 'a key must be text', 'put it in quotes'));
      return undefined;
    },
  });
  return problems.slice(0, MOST_PROBLEMS);
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${String(part)}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./u, '');
}

/** Of the branches of a union, the issues of the one that came closest. */
function closest(issue: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] {
  const depth = (issues: readonly z.core.$ZodIssue[]) =>
    Math.max(0, ...issues.map(({ path }) => path.length)) * 100 - issues.length;
  return [...issue.errors].sort((a, b) => depth(b) - depth(a))[0] ?? [];
}

function describe(
  parsed: Parsed,
  schema: z.ZodType,
  issue: z.core.$ZodIssue,
): readonly PolicyProblem[] {
  const { path } = issue;
  const where = pathText(path) === '' ? 'the file' : pathText(path);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, path);
    const expected = known.length === 0 ? '' : `known here: ${known.join(', ')}`;
    return issue.keys.map((key) =>
      errorAt(placeOfKey(parsed, path, key), `unknown key "${key}" in ${where}`, expected),
    );
  }
  if (issue.code === 'invalid_union') {
    const nested = closest(issue).map((inner) => ({ ...inner, path: [...path, ...inner.path] }));
    if (nested.length > 0) return nested.flatMap((inner) => describe(parsed, schema, inner));
  }
  if (issue.code === 'invalid_key') {
    const key = String(path.at(-1) ?? '');
    const reason = issue.issues[0]?.message ?? issue.message;
    return [errorAt(placeOfKey(parsed, path.slice(0, -1), key), `${where}: ${reason}`)];
  }
  return [errorAt(placeOf(parsed, path), `${where}: ${issue.message}`)];
}

function parse(file: string, text: string): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    uniqueKeys: true,
    version: '1.2',
    schema: 'core',
  });
  return { file, document, lines };
}

function read<T>(file: string, text: string, schema: z.ZodType<T>): YamlOutcome<T> {
  const parsed = parse(file, text);
  const faults = syntaxProblems(parsed);
  if (faults.length > 0) return { ok: false, problems: faults };
  const outcome = schema.safeParse(parsed.document.toJS({ maxAliasCount: MOST_ALIASES }));
  if (outcome.success) {
    return { ok: true, value: outcome.data, places: (path) => placeOf(parsed, path) };
  }
  const problems = outcome.error.issues.flatMap((issue) => describe(parsed, schema, issue));
  return { ok: false, problems: problems.slice(0, MOST_PROBLEMS) };
}

/** Reads `text` as YAML and checks it against `schema`. Never throws. */
export function readYaml<T>(file: string, text: string, schema: z.ZodType<T>): YamlOutcome<T> {
  try {
    return read(file, text, schema);
  } catch (fault) {
    const reason = fault instanceof ReferenceError ? 'too many aliases' : 'nested too deeply';
    return { ok: false, problems: [errorAt(wholeFile(file), reason, 'write it out')] };
  }
}
