/**
 * The users of this machine, from passwd(5) text.
 *
 * Layer: platform. Lines that are not well-formed are passed over.
 */
export interface LocalUser {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly home: string;
}

/** uid of the first person (login.defs, UID_MIN); below are system accounts. */
const FIRST_PERSON_UID = 1000;
const NOBODY_UID = 65_534;

/** Every user in `text`. */
export function parsePasswd(text: string): LocalUser[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , uidText = '', gidText = '', , home = '/'] = line.split(':');
    const [uid, gid] = [Number(uidText), Number(gidText)];
    const wellFormed = name !== '' && /^\d+$/.test(uidText) && /^\d+$/.test(gidText);
    return wellFormed ? [{ uid, gid, name, home }] : [];
  });
}

/** The people among them: no system accounts, not nobody. */
export function peopleOf(users: readonly LocalUser[]): LocalUser[] {
  return users.filter(({ uid }) => uid >= FIRST_PERSON_UID && uid !== NOBODY_UID);
}
