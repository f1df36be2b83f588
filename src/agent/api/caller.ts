/**
 * Who asks: the owner of the socket that the request came through.
 *
 * Layer: agent. The socket is the identity: mode 0600, owned by the user, in a directory that only
 * root may change; nothing in a request can claim another one.
 */
import type { LocalRole } from '../../contracts/local-api.js';

export interface Caller {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly home: string;
  readonly role: LocalRole;
}

/** True when `caller` may ask for something that needs `role`. */
export function hasRole(caller: Caller, role: LocalRole): boolean {
  return role === 'any-local-user' || caller.role === 'admin';
}
