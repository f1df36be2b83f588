/**
 * The sentences of an explanation, in the languages of the product.
 *
 * Layer: core. Cedar's conditions stay as they stand in the set: they are what an admin edits.
 */
import type { Verdict } from './decision.js';
import type { ExplainedRule, Explanation } from './explain.js';
import type { Language } from './vocabulary.js';

interface Sentences {
  readonly verdict: Readonly<Record<Verdict, string>>;
  readonly decidedBy: (rule: string, place: string) => string;
  readonly forbade: (rule: string, place: string) => string;
  readonly noPermit: string;
  readonly overruled: (rule: string) => string;
  readonly missed: (rule: string, condition: string) => string;
  readonly failed: (detail: string) => string;
  readonly obligations: (list: string) => string;
  readonly asks: (list: string) => string;
  readonly version: (set: string) => string;
}

const EN: Sentences = {
  verdict: { allow: 'Allowed.', deny: 'Denied.', ask: 'Needs approval first.' },
  decidedBy: (rule, place) => `Rule ${rule} (${place}) permits it.`,
  forbade: (rule, place) => `Rule ${rule} (${place}) forbids it.`,
  noPermit: 'No rule permits it, and what no rule permits is denied.',
  overruled: (rule) => `Rule ${rule} would permit it, but a forbid always wins.`,
  missed: (rule, condition) => `Rule ${rule} does not apply, since this is not so: ${condition}`,
  failed: (detail) => `The rules could not be asked, which is a deny: ${detail}`,
  obligations: (list) => `Obligations: ${list}.`,
  asks: (list) => `Still to be approved by: ${list}.`,
  version: (set) => `Policy set ${set}.`,
};

const ZH: Sentences = {
  verdict: { allow: '允许。', deny: '拒绝。', ask: '须先审批。' },
  decidedBy: (rule, place) => `规则 ${rule}（${place}）允许此操作。`,
  forbade: (rule, place) => `规则 ${rule}（${place}）禁止此操作。`,
  noPermit: '没有规则允许此操作；未经规则允许的操作一律拒绝。',
  overruled: (rule) => `规则 ${rule} 本可允许，但禁止规则始终优先。`,
  missed: (rule, condition) => `规则 ${rule} 不适用，因为以下条件不成立：${condition}`,
  failed: (detail) => `规则无法评估，因此拒绝：${detail}`,
  obligations: (list) => `附加义务：${list}。`,
  asks: (list) => `仍需审批：${list}。`,
  version: (set) => `策略集 ${set}。`,
};

const JA: Sentences = {
  verdict: { allow: '許可。', deny: '拒否。', ask: '先に承認が必要です。' },
  decidedBy: (rule, place) => `ルール ${rule}（${place}）が許可しています。`,
  forbade: (rule, place) => `ルール ${rule}（${place}）が禁止しています。`,
  noPermit: '許可するルールがありません。許可のない操作はすべて拒否されます。',
  overruled: (rule) => `ルール ${rule} は許可しますが、禁止ルールが常に優先されます。`,
  missed: (rule, condition) =>
    `ルール ${rule} は次の条件が満たされないため該当しません：${condition}`,
  failed: (detail) => `ルールを評価できないため拒否しました：${detail}`,
  obligations: (list) => `義務：${list}。`,
  asks: (list) => `承認待ち：${list}。`,
  version: (set) => `ポリシーセット ${set}。`,
};

const SENTENCES: Readonly<Record<Language, Sentences>> = { en: EN, zh: ZH, ja: JA };

function decidedLine(words: Sentences, { rule }: ExplainedRule): string {
  const place = `${rule.place.file}:${String(rule.place.line)}`;
  return rule.effect === 'permit' ? words.decidedBy(rule.id, place) : words.forbade(rule.id, place);
}

/** Permits that did not decide: overruled by a forbid, or with their first false condition. */
function otherLines(words: Sentences, rules: readonly ExplainedRule[]): readonly string[] {
  return rules.flatMap(({ rule, decided, failed }) => {
    if (decided || rule.effect === 'forbid') return [];
    return [failed === null ? words.overruled(rule.id) : words.missed(rule.id, failed)];
  });
}

/** The explanation as lines to print, most important first. */
export function explanationLines(
  explanation: Explanation,
  set: { readonly name: string; readonly version: string },
  language: Language,
): readonly string[] {
  const words = SENTENCES[language];
  const { decision, rules } = explanation;
  const message = decision.messages[language];
  const decided = rules.filter((rule) => rule.decided);
  const nothingMatched = decision.error === null && decided.length === 0;
  return [
    words.verdict[decision.verdict],
    ...(message === '' ? [] : [message]),
    ...(decision.error === null
      ? []
      : [words.failed(`${decision.error.code}: ${decision.error.detail}`)]),
    ...decided.map((rule) => decidedLine(words, rule)),
    ...(nothingMatched ? [words.noPermit] : []),
    ...(decision.obligations.length === 0
      ? []
      : [words.obligations(decision.obligations.join(', '))]),
    ...(decision.asks.length === 0 ? [] : [words.asks(decision.asks.join(', '))]),
    ...(decision.verdict === 'deny' ? otherLines(words, rules) : []),
    words.version(`${set.name} ${set.version.slice(0, 12)}`),
  ];
}
