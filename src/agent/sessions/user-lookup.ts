/**
 * Name and home of the person behind a uid.
 *
 * Layer: agent. The name service is asked, so that users of a directory (LDAP, SSSD) are found too;
 * a uid that nobody knows gets its number as its name and no home.
 */
import { runProcess } from '../../platform/child-process.js';
import { parsePasswd } from '../../platform/passwd.js';
import type { SessionUser } from './session-profile.js';

const GETENT = '/usr/bin/getent';

export async function userOf(uid: number, gid: number): Promise<SessionUser> {
  const answer = await runProcess(GETENT, ['passwd', '--', String(uid)], { timeoutMs: 5000 });
  const text = answer.ok ? answer.value.stdout.toString('utf8') : '';
  const found = parsePasswd(text).find((user) => user.uid === uid);
  return { uid, gid, name: found?.name ?? String(uid), home: found?.home ?? '/' };
}
