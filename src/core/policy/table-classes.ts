/**
 * Which users and applications no rule can tell apart, so that one evaluation serves all of them.
 *
 * Layer: core. Sound because it goes by what the rules mention (`rule-mentions.ts`): two users
 * that agree on every mentioned attribute, on all groups, and are not named by id, get the same
 * answer from Cedar. Rows are never guessed: a class is still decided by asking Cedar.
 */
import type { Application } from './applications-file.js';
import type { PolicySet } from './policy-set.js';
import { entityKey, type Mentions } from './rule-mentions.js';
import type { UserFacts } from './vocabulary.js';

/** Counts of a user's sliding window, as the agent knows them. */
export interface WindowCounts {
  readonly count: number;
  readonly bytes: number;
}

export interface TableUser {
  readonly uid: number | '*';
  readonly facts: UserFacts;
  readonly window: WindowCounts;
}

/** Everything that the rules of `open` and of `modify` mention. */
export function tableMentions(set: PolicySet): Mentions {
  const { open, modify } = set.prepared;
  return {
    attributes: new Set([...open.mentions.attributes, ...modify.mentions.attributes]),
    entities: new Set([...open.mentions.entities, ...modify.mentions.entities]),
    wholeContext: open.mentions.wholeContext || modify.mentions.wholeContext,
  };
}

/** Key of the class of `user`; equal keys, equal answers. */
export function userClass(mentions: Mentions, user: TableUser): string {
  const { facts, window } = user;
  const pick = (name: string, value: unknown) =>
    mentions.wholeContext || mentions.attributes.has(name) ? value : null;
  const named = mentions.entities.has(entityKey({ type: 'User', id: facts.id }));
  return JSON.stringify([
    named ? facts.id : null,
    [...facts.groups].sort(),
    pick('area', facts.area),
    pick('roles', [...facts.roles].sort()),
    pick('clearance', facts.clearance),
    pick('count', window.count),
    pick('bytes', window.bytes),
  ]);
}

/** Key of the class of `application`. */
export function applicationClass(mentions: Mentions, application: Application): string {
  // A context compared as a whole holds the application itself.
  const named =
    mentions.wholeContext ||
    mentions.entities.has(entityKey({ type: 'Application', id: application.id }));
  return JSON.stringify([
    named ? application.id : null,
    mentions.attributes.has('network') ? application.network : null,
  ]);
}
