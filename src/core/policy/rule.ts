/**
 * A rule: one Cedar policy with our annotations read and checked.
 *
 * Layer: core. Spec: docs/spec/policy-set-v1.md, section 4 ("Annotations").
 * Not here: Cedar's own checks (`compile-rules.ts`), choosing among rules (`decide.ts`).
 */
import type { CedarPolicyJson } from './cedar-engine.js';
import { fitsForbid, parseAsk, parseObligations, type AnnotationValues } from './obligations.js';
import { errorAt, warningAt, type Place, type PolicyProblem } from './problem.js';
import { LANGUAGES, type LocalizedText } from './vocabulary.js';

export interface Rule {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  readonly obligations: readonly string[];
  readonly ask: readonly string[];
  /** What the employee reads when this rule decides; `null` when the rule says nothing. */
  readonly message: LocalizedText | null;
  readonly place: Place;
  readonly text: string;
  /** UTF-16 offset of `text` in its file. */
  readonly offset: number;
  readonly json: CedarPolicyJson;
}

const ANNOTATIONS = ['id', 'obligation', 'ask', 'message_en', 'message_zh', 'message_ja'] as const;
const RULE_ID = /^[a-z0-9][a-z0-9-]{0,79}$/u;
const LONGEST_MESSAGE = 500;

function checkKeys(annotations: Readonly<Record<string, string | null>>, place: Place) {
  return Object.keys(annotations)
    .filter((key) => !ANNOTATIONS.some((known) => known === key))
    .map((key) =>
      errorAt(
        place,
        `unknown annotation @${key}`,
        `known: ${ANNOTATIONS.map((k) => `@${k}`).join(', ')}`,
      ),
    );
}

function checkId(id: string, place: Place): readonly PolicyProblem[] {
  if (id === '') return [errorAt(place, 'the policy has no @id', 'add @id("a-name-of-its-own")')];
  if (RULE_ID.test(id)) return [];
  return [
    errorAt(
      place,
      `@id("${id}") is not a rule id`,
      'lower-case letters, digits and hyphens, at most 80',
    ),
  ];
}

function values(
  key: string,
  text: string | null | undefined,
  parse: (text: string) => AnnotationValues,
  place: Place,
): { readonly values: readonly string[]; readonly problems: readonly PolicyProblem[] } {
  if (text === undefined) return { values: [], problems: [] };
  const parsed = parse(text ?? '');
  if (parsed.ok) return { values: parsed.values, problems: [] };
  return {
    values: [],
    problems: [errorAt(place, `@${key}: "${parsed.wrong}" means nothing`, parsed.expected)],
  };
}

function readMessage(
  annotations: Readonly<Record<string, string | null>>,
  place: Place,
): { readonly message: LocalizedText | null; readonly problems: readonly PolicyProblem[] } {
  const texts = LANGUAGES.map((language) => annotations[`message_${language}`] ?? '');
  const [en = '', zh = '', ja = ''] = texts;
  if (texts.every((text) => text === '')) return { message: null, problems: [] };
  const problems = LANGUAGES.flatMap((language, i) => {
    const text = texts[i] ?? '';
    if (text === '')
      return [
        errorAt(
          place,
          `@message_${language} is missing`,
          'a message is given in en, zh and ja, or not at all',
        ),
      ];
    if (text.length <= LONGEST_MESSAGE) return [];
    return [
      errorAt(
        place,
        `@message_${language} is too long`,
        `at most ${String(LONGEST_MESSAGE)} characters`,
      ),
    ];
  });
  return { message: { en, zh, ja }, problems };
}

/** Faults that lie in the effect and the annotations together. */
function checkEffect(rule: Rule): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  if (rule.effect === 'forbid') {
    if (rule.ask.length > 0) {
      problems.push(
        errorAt(
          rule.place,
          `rule ${rule.id}: @ask on a forbid has no effect`,
          'put @ask on the permit',
        ),
      );
    }
    for (const obligation of rule.obligations.filter((text) => !fitsForbid(text))) {
      problems.push(
        errorAt(
          rule.place,
          `rule ${rule.id}: obligation ${obligation} on a forbid has no effect`,
          'only notify:WHO',
        ),
      );
    }
  }
  if (rule.message === null && (rule.effect === 'forbid' || rule.ask.length > 0)) {
    problems.push(
      warningAt(
        rule.place,
        `rule ${rule.id} can stop somebody and does not say why`,
        'add @message_en, @message_zh and @message_ja',
      ),
    );
  }
  return problems;
}

/** Reads the annotations of one policy. The rule is returned even with problems, for more checks. */
export function readRule(
  json: CedarPolicyJson,
  source: { readonly text: string; readonly offset: number },
  place: Place,
): { readonly rule: Rule; readonly problems: readonly PolicyProblem[] } {
  const annotations = json.annotations ?? {};
  const id = annotations['id'] ?? '';
  const obligations = values('obligation', annotations['obligation'], parseObligations, place);
  const ask = values('ask', annotations['ask'], parseAsk, place);
  const { message, problems } = readMessage(annotations, place);
  const rule: Rule = {
    id,
    effect: json.effect,
    obligations: obligations.values,
    ask: ask.values,
    message,
    place,
    text: source.text,
    offset: source.offset,
    json,
  };
  const all = [
    ...checkKeys(annotations, place),
    ...checkId(id, place),
    ...obligations.problems,
    ...ask.problems,
    ...problems,
    ...checkEffect(rule),
  ];
  return { rule, problems: all };
}
