import { describe, expect, it } from '@jest/globals';
import type { SessionGrant } from '../../contracts/sessiond.js';
import { SessionRegistry } from './session-registry.js';

const grant = (id: string, change: Partial<SessionGrant> = {}): SessionGrant => ({
  id,
  application: 'writer',
  argv: ['/usr/bin/soffice'],
  cwd: '/',
  environment: {},
  binds: [
    { mode: 'tmpfs', target: '/run' },
    { mode: 'rw', source: '/d', target: '/d', device: '53' },
    { mode: 'rw', source: '/extra', target: '/extra' },
  ],
  network: false,
  processes: 1,
  dbus: null,
  stdio: 'none',
  seccomp: 'default',
  ...change,
});

function withOne(): SessionRegistry {
  const registry = new SessionRegistry();
  registry.granted(1001, grant('a'), 5);
  return registry;
}

describe('SessionRegistry', () => {
  it('lets a session be joined only while its program runs', () => {
    const registry = withOne();
    expect(registry.reusable(1001, 'writer')).toBeNull();
    registry.created({ type: 'created', id: 1, session: 'a', pid: 7, mountNamespace: '8' });
    registry.released('a');
    expect(registry.reusable(1001, 'writer')).toMatchObject({ id: 'a', pid: 7 });
    expect(registry.reusable(1002, 'writer')).toBeNull();
    expect(registry.reusable(1001, 'calc')).toBeNull();
    expect(registry.ended('a')).toMatchObject({ mountNamespace: '8' });
    expect(registry.reusable(1001, 'writer')).toBeNull();
  });

  it('knows which sessions have a folder', () => {
    const registry = withOne();
    expect(registry.withFolder('/d').map(({ id }) => id)).toEqual(['a']);
    expect(registry.withFolder('/extra')).toEqual([]);
  });

  it('lists all, or one user’s', () => {
    const registry = withOne();
    registry.granted(1002, grant('b'), 6);
    expect(registry.list().map(({ id }) => id)).toEqual(['a', 'b']);
    expect(registry.list(1002).map(({ id }) => id)).toEqual(['b']);
  });

  it('knows nothing of a stranger', () => {
    expect(new SessionRegistry().ended('x')).toBeNull();
  });

  it('takes an id once', () => {
    const registry = withOne();
    expect(() => {
      registry.granted(1001, grant('a'), 5);
    }).toThrow('in use');
  });
});
