/**
 * Puts the user's name beside the uid in records whose source knows the uid alone.
 *
 * Layer: agent. Names are for readers; the uid is what counts. /etc/passwd is read again when a uid
 * is not known, at most once a second, so that an unknown one cannot make the agent read for ever.
 */
import { readFileSync } from 'node:fs';
import type { RecordEvent } from '../../core/records/record.js';
import { parsePasswd } from '../../platform/passwd.js';

const READ_EVERY_MS = 1000;

export class NamedUsers {
  private names = new Map<number, string>();
  private readAtMs = -Infinity;

  /** The event with a name where one is known. */
  withName(event: RecordEvent): RecordEvent {
    const { user } = event;
    if (user === undefined || user.name !== undefined) return event;
    const name = this.nameOf(user.uid);
    return name === undefined ? event : { ...event, user: { ...user, name } };
  }

  private nameOf(uid: number): string | undefined {
    if (!this.names.has(uid) && performance.now() - this.readAtMs > READ_EVERY_MS) this.read();
    return this.names.get(uid);
  }

  private read(): void {
    this.readAtMs = performance.now();
    try {
      const users = parsePasswd(readFileSync('/etc/passwd', 'utf8'));
      this.names = new Map(users.map(({ uid, name }) => [uid, name]));
    } catch {
      // A record without a name is a record all the same.
    }
  }
}
