/**
 * What people read when the answer comes from no rule of the set.
 *
 * Layer: core. The set's own messages stand in its rules (`@message_en` and its sisters).
 */
import type { DecisionErrorCode } from './decision.js';
import type { LocalizedText } from './vocabulary.js';

export const NO_MESSAGE: LocalizedText = { en: '', zh: '', ja: '' };

/** No permit matched. */
export const NO_RULE_ALLOWS: LocalizedText = {
  en: 'Your company has no rule that allows this. Ask your security administrator if you need it for your work.',
  zh: '公司没有允许此操作的规则。如工作需要，请联系安全管理员。',
  ja: 'この操作を許可する社内ルールがありません。業務で必要な場合は、セキュリティ管理者にご相談ください。',
};

/** A permit with `@ask` and no words of its own. */
export const NEEDS_APPROVAL: LocalizedText = {
  en: 'This needs approval before it can go on.',
  zh: '此操作需要审批后才能继续。',
  ja: 'この操作を続けるには承認が必要です。',
};

export const ERROR_MESSAGES: Readonly<Record<DecisionErrorCode, LocalizedText>> = {
  'unknown-label': {
    en: 'This file carries a label that the current policy does not know, so it stays closed. Tell your security administrator.',
    zh: '此文件的密级不在当前策略中，因此无法打开。请告知安全管理员。',
    ja: 'このファイルのラベルは現在のポリシーにないため、開くことができません。セキュリティ管理者にお知らせください。',
  },
  'unknown-target-label': {
    en: 'The label you chose does not exist in the current policy.',
    zh: '所选密级在当前策略中不存在。',
    ja: '選択したラベルは現在のポリシーにありません。',
  },
  'incomplete-request': {
    en: 'The request did not say what it is about, so it was refused.',
    zh: '请求未说明操作对象，已被拒绝。',
    ja: '操作の対象が示されていないため、拒否されました。',
  },
  'evaluation-failed': {
    en: 'The policy could not be evaluated, so the operation was refused. The fault has been recorded; tell your security administrator.',
    zh: '策略评估出错，操作已被拒绝。故障已记录，请告知安全管理员。',
    ja: 'ポリシーを評価できなかったため、操作を拒否しました。障害は記録されています。セキュリティ管理者にお知らせください。',
  },
};
