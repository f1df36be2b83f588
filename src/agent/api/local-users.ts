/**
 * The people of this machine, from passwd(5).
 *
 * Layer: agent. System accounts (uid under 1000, nobody) get no socket.
 */
export interface LocalUser {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly home: string;
}

const FIRST_PERSON_UID = 1000;
const NOBODY_UID = 65_534;

/** Every line of passwd text that is well-formed. */
export function parseAllUsers(text: string): LocalUser[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid, , home] = line.split(':');
    const user = { uid: Number(uid), gid: Number(gid), name: name ?? '', home: home ?? '/' };
    return name !== '' &&
      Number.isInteger(user.uid) &&
      Number.isInteger(user.gid) &&
      uid !== undefined
      ? [user]
      : [];
  });
}

/** The people among them. */
export function parsePasswd(text: string): LocalUser[] {
  return parseAllUsers(text).filter(({ uid }) => uid >= FIRST_PERSON_UID && uid !== NOBODY_UID);
}
