import { describe, expect, it } from '@jest/globals';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withTempDirectory } from '../../../test/support/temp-directory.js';
import { Application } from '../../core/policy/applications-file.js';
import { findApplication, findProgram } from './find-program.js';
import { boundSocketPaths, canPass, viewHost } from './host-view.js';

const user = { uid: 4_000_000, gid: 4_000_000, name: 'nobody-here', home: '/nonexistent/home' };

describe('boundSocketPaths', () => {
  it('takes paths, once each, and no abstract names', () => {
    const text = [
      'Num       RefCount Protocol Flags    Type St Inode Path',
      '000: 00000002 00000000 00010000 0001 01 1001 /run/dbus/system_bus_socket',
      '000: 00000003 00000000 00000000 0001 03 1002 /run/dbus/system_bus_socket',
      '000: 00000002 00000000 00010000 0001 01 1003 @/tmp/.X11-unix/X0',
      '000: 00000002 00000000 00010000 0001 01 1004 /home/li/a b.sock',
      '000: 00000003 00000000 00000000 0001 03 1005',
      '',
    ].join('\n');
    expect(boundSocketPaths(text)).toEqual(['/run/dbus/system_bus_socket', '/home/li/a b.sock']);
  });
});

describe('viewHost', () => {
  it.each([
    { id: 'remote-display', environment: { DISPLAY: 'attacker:0' } },
    { id: 'display-path', environment: { DISPLAY: '/tmp/evil:0' } },
    { id: 'wayland-path', environment: { WAYLAND_DISPLAY: '../../tmp/evil' } },
    { id: 'tcp-bus', environment: { DBUS_SESSION_BUS_ADDRESS: 'tcp:host=10.0.0.1' } },
    {
      id: 'bus-with-options',
      environment: { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/a;tcp:host=b' },
    },
  ])('takes nothing odd from the caller: $id', async ({ environment }) => {
    const view = await viewHost({
      user,
      callerEnvironment: environment,
      places: [],
      hiddenDirectories: ['/home', '/var'],
    });
    expect(view).toMatchObject({ x11: null, wayland: null, busAddress: null, homeExists: false });
  });

  it('takes the bus that a desktop names', async () => {
    const DBUS_SESSION_BUS_ADDRESS =
      'unix:abstract=/tmp/dbus-AbC123,guid=0123456789abcdef0123456789abcdef';
    const view = await viewHost({
      user,
      callerEnvironment: { DBUS_SESSION_BUS_ADDRESS },
      places: ['/usr', '/nonexistent'],
      hiddenDirectories: [],
    });
    expect(view.busAddress).toBe(DBUS_SESSION_BUS_ADDRESS);
    expect(view.existingPlaces).toEqual(['/usr']);
  });
});

describe('canPass', () => {
  it('asks every directory on the way', async () => {
    await withTempDirectory(async (directory) => {
      const inner = join(directory, 'open', 'inner');
      mkdirSync(inner, { recursive: true });
      chmodSync(directory, 0o700);
      expect(await canPass(inner, user)).toBe(false);
      chmodSync(directory, 0o711);
      expect(await canPass(inner, user)).toBe(true);
      expect(await canPass(join(inner, 'missing'), user)).toBe(false);
    });
  });
});

describe('findProgram and findApplication', () => {
  const office = Application.parse({
    id: 'office',
    names: { en: 'Office', zh: 'Office', ja: 'Office' },
    start: ['/usr/bin/env'],
    executables: [{ path: '/usr/bin/env', owner: 'root' }],
  });

  it('finds commands in system folders alone', async () => {
    expect(await findProgram('env', '/tmp')).toEqual({ ok: true, value: '/usr/bin/env' });
    expect(await findProgram('no-such-command', '/')).toMatchObject({
      ok: false,
      error: { code: 'E_SESSION_PROGRAM' },
    });
  });

  it.each([
    {
      id: 'copied',
      make: (path: string) => {
        writeFileSync(path, '#!/bin/sh\n', { mode: 0o755 });
      },
      want: undefined,
    },
    {
      id: 'linked',
      make: (path: string) => {
        symlinkSync('/usr/bin/env', path);
      },
      want: 'office',
    },
  ])('decides by what runs, not by its name: $id', async ({ make, want }) => {
    await withTempDirectory(async (directory) => {
      make(join(directory, 'env'));
      const found = await findProgram('./env', directory);
      if (!found.ok) throw new Error(found.error.detail);
      expect((await findApplication([office], found.value, null))?.id).toBe(want);
    });
  });

  it('keeps to the application that was named', async () => {
    expect(await findApplication([office], '/usr/bin/env', 'other')).toBeNull();
  });
});
