import { describe, expect, it } from '@jest/globals';
import { AgentToSessiond, type SessionBind } from '../../contracts/sessiond.js';
import type { HostView } from './host-view.js';
import { sessionGrant, type ProfileInput } from './session-profile.js';

const bare: HostView = {
  homeExists: true,
  x11: null,
  wayland: null,
  busAddress: null,
  devices: [],
  resolverPaths: [],
  reachableSockets: [],
  existingPlaces: [],
};

const desktop: HostView = {
  ...bare,
  x11: { display: ':0', socketPath: '/tmp/.X11-unix/X0', authorityPath: '/home/li/.Xauthority' },
  wayland: { display: 'wayland-0', socketPath: '/run/user/1001/wayland-0' },
  busAddress: 'unix:path=/run/user/1001/bus',
  devices: ['/dev/dri'],
  resolverPaths: ['/run/systemd/resolve'],
  reachableSockets: ['/home/li/.gnupg/S.gpg-agent'],
  existingPlaces: ['/home/li/Pictures'],
};

const input: ProfileInput = {
  sessionId: 's-1',
  application: {
    id: 'writer',
    network: 'none',
    dbus: [],
    display: { x11: true, wayland: true },
    readOnly: [],
    readWrite: [],
    limits: { processes: 512 },
  },
  user: { uid: 1001, gid: 1001, name: 'li', home: '/home/li' },
  argv: ['/usr/bin/soffice'],
  cwd: '/home/li',
  callerEnvironment: {},
  folders: [
    { directory: '/home/li/Documents/inner', device: '54' },
    { directory: '/home/li/Documents', device: '53' },
  ],
  profile: { directory: '/var/lib/sealway/profiles/1001', device: '55' },
  stdio: 'none',
  host: desktop,
  agentDirectories: ['/var/lib/sealway'],
};

const at = (binds: readonly SessionBind[], target: string): number =>
  binds.findIndex((bind) => bind.target === target);

describe('sessionGrant', () => {
  it.each([
    { id: 'desktop', change: {} },
    { id: 'bare-host', change: { host: bare } },
    { id: 'no-profile', change: { profile: null } },
    { id: 'network', change: { application: { ...input.application, network: 'host' as const } } },
  ])('is a grant that sessiond takes: $id', ({ change }) => {
    const session = sessionGrant({ ...input, ...change });
    expect(AgentToSessiond.safeParse({ type: 'grant', id: 1, session }).success).toBe(true);
  });

  it('hides the agent’s directories and shows the profile in them', () => {
    const { binds } = sessionGrant(input);
    expect(binds[at(binds, '/var/lib/sealway')]).toMatchObject({ mode: 'tmpfs' });
    expect(at(binds, '/var/lib/sealway')).toBeLessThan(at(binds, '/var/lib/sealway/profiles/1001'));
  });

  it('lays outer folders before inner ones, each pinned to its device', () => {
    const { binds } = sessionGrant(input);
    expect(at(binds, '/home/li/Documents')).toBeLessThan(at(binds, '/home/li/Documents/inner'));
    const writable = binds.filter(({ mode }) => mode === 'rw');
    expect(writable).toHaveLength(3);
    expect(writable.every((bind) => 'device' in bind)).toBe(true);
  });

  it('masks sockets through which plaintext could leave', () => {
    const { binds } = sessionGrant(input);
    expect(binds[at(binds, '/home/li/.gnupg/S.gpg-agent')]).toMatchObject({ source: '/dev/null' });
  });

  it.each([
    { id: 'no-x11', display: { x11: false, wayland: true }, absent: '/tmp/.X11-unix/X0' },
    {
      id: 'no-wayland',
      display: { x11: true, wayland: false },
      absent: '/run/user/1001/wayland-0',
    },
  ])('shows a display only where the application may have it: $id', ({ display, absent }) => {
    const { binds } = sessionGrant({ ...input, application: { ...input.application, display } });
    expect(at(binds, absent)).toBe(-1);
  });

  it('gives a bus only for names that the application lists', () => {
    const application = { ...input.application, dbus: ['org.a11y.Bus'] };
    expect(sessionGrant(input).dbus).toBeNull();
    expect(sessionGrant({ ...input, application }).dbus).toEqual({
      address: 'unix:path=/run/user/1001/bus',
      talk: ['org.a11y.Bus'],
    });
  });

  it('adds an extra place where it exists', () => {
    const application = { ...input.application, readWrite: ['~/Pictures', '~/Missing'] };
    const { binds } = sessionGrant({ ...input, application });
    expect(at(binds, '/home/li/Pictures')).toBeGreaterThan(0);
    expect(at(binds, '/home/li/Missing')).toBe(-1);
  });

  it('shows the name service with a network alone', () => {
    const application = { ...input.application, network: 'host' as const };
    expect(at(sessionGrant(input).binds, '/run/systemd/resolve')).toBe(-1);
    expect(
      at(sessionGrant({ ...input, application }).binds, '/run/systemd/resolve'),
    ).toBeGreaterThan(0);
  });
});
