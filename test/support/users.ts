/**
 * Ordinary users for privileged and end-to-end tests.
 *
 * Layer: test support. The users are made when they are missing and stay: making them costs a
 * second, and a test that is killed must not leave a half-removed user behind. Needs root.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface TestUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export type TestUserName = 'swtest1' | 'swtest2';

/** The user, made when missing. */
export function ensureTestUser(name: TestUserName): TestUser {
  const found = lookUp(name);
  if (found !== null) return found;
  const made = spawnSync('useradd', ['--create-home', '--shell', '/bin/bash', name], {
    encoding: 'utf8',
  });
  // Two test processes may both find it missing; the slower one is told that it exists.
  const user = lookUp(name);
  if (user === null) throw new Error(`useradd ${name}: ${made.stderr}`);
  return user;
}

function lookUp(name: string): TestUser | null {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  if (line === undefined) return null;
  const [, , uid, gid, , home] = line.split(':');
  if (uid === undefined || gid === undefined || home === undefined) {
    throw new Error(`/etc/passwd: ${line}`);
  }
  return { name, uid: Number(uid), gid: Number(gid), home };
}
