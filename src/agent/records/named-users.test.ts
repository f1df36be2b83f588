import { describe, expect, it } from '@jest/globals';
import { NamedUsers } from './named-users.js';

describe('NamedUsers', () => {
  it('adds-the-name-of-a-known-uid', () => {
    const named = new NamedUsers().withName({ kind: 'notice', user: { uid: 0 } });
    expect(named.user).toEqual({ uid: 0, name: 'root' });
  });

  it.each([
    { id: 'an-unknown-uid', event: { kind: 'notice', user: { uid: 4_000_000_000 } } },
    { id: 'a-name-that-is-there', event: { kind: 'notice', user: { uid: 0, name: 'toor' } } },
    { id: 'nobody', event: { kind: 'notice' } },
  ] as const)('leaves $id as it is', ({ event }) => {
    expect(new NamedUsers().withName(event)).toEqual(event);
  });
});
