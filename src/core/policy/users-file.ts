/**
 * `users.yaml`: who is who, where no console says so.
 *
 * Layer: core. Spec: docs/spec/policy-set-v1.md, section 1. Keys are names of the operating
 * system. An unlisted user is the `default`, or has no groups where the set gives none.
 */
import { z } from 'zod';
import { AreaName, Name } from './names.js';
import type { UserFacts } from './vocabulary.js';

const Person = z.strictObject({
  groups: z.array(Name).max(64).default([]),
  area: AreaName,
  roles: z.array(Name).max(64).default([]),
  /** The highest label the person is cleared for. */
  clearance: Name,
});

/** What useradd takes, and the names of machines that joined a domain or a realm. */
const OsUserName = z
  .string()
  .regex(/^[\p{L}_][\p{L}\p{N}._@\\-]{0,255}\$?$/u, 'must be a user name of the operating system');

export const UsersFile = z.strictObject({
  default: Person.nullable().default(null),
  users: z.record(OsUserName, Person).default({}),
});
export type UsersFile = z.infer<typeof UsersFile>;

/** Somebody of whom the set knows nothing: in no group, in no area, cleared for nothing. */
function stranger(id: string): UserFacts {
  return { id, groups: [], area: '', roles: [], clearance: '' };
}

/** The facts of an operating-system user, by name; `id` becomes the user's id in rules. */
export function userFacts(file: UsersFile, id: string): UserFacts {
  const listed = Object.hasOwn(file.users, id) ? file.users[id] : undefined;
  const person = listed ?? file.default;
  return person === null ? stranger(id) : { id, ...person };
}
