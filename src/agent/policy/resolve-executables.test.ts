import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { chmod, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Executable } from '../../core/policy/applications-file.js';
import { smallSet } from '../../../test/support/policy-files.js';
import { withTempDirectory } from '../../../test/support/temp-directory.js';
import { compileDeviceTable } from './device-table.js';
import { resolveExecutables } from './resolve-executables.js';

const PROGRAM = '#!/bin/sh\n';
const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const SET = smallSet();

function resolve(executable: Executable) {
  const applications = SET.applications.applications.map((a) => ({
    ...a,
    executables: [executable],
  }));
  return resolveExecutables({ applications: { applications } });
}

describe('resolveExecutables', () => {
  it('takes a program of the system by its place', async () => {
    const { executables, warnings } = await resolve({ path: '/usr/bin/env', owner: 'root' });
    const { dev, ino, ctimeNs } = await stat('/usr/bin/env', { bigint: true });
    expect(warnings).toEqual([]);
    expect(executables).toEqual([
      {
        application: 'editor',
        path: '/usr/bin/env',
        dev: String(dev),
        ino: String(ino),
        ctimeNs: String(ctimeNs),
      },
    ]);
  });

  it.each<{ id: string; executable: (directory: string) => Executable; want: string }>([
    {
      id: 'missing',
      executable: (d) => ({ path: join(d, 'none'), owner: 'root' }),
      want: 'missing',
    },
    {
      id: 'in-a-writable-directory',
      executable: (d) => ({ path: join(d, 'program'), owner: 'root' }),
      want: 'directory-not-safe',
    },
    {
      id: 'link-out-of-a-writable-directory',
      executable: (d) => ({ path: join(d, 'link'), owner: 'root' }),
      want: 'directory-not-safe',
    },
    {
      id: 'writable-by-others',
      executable: (d) => ({ path: join(d, 'loose'), owner: 'root' }),
      want: 'writable-by-others',
    },
    {
      id: 'no-program',
      executable: (d) => ({ path: join(d, 'text'), owner: 'root' }),
      want: 'not-a-program',
    },
    { id: 'directory', executable: (d) => ({ path: d, owner: 'root' }), want: 'not-a-program' },
    {
      id: 'other-bytes',
      executable: (d) => ({ path: join(d, 'program'), digest: digestOf('other') }),
      want: 'digest-differs',
    },
  ])('leaves out $id', async ({ executable, want }) => {
    await withTempDirectory(async (directory) => {
      await writeFile(join(directory, 'program'), PROGRAM, { mode: 0o755 });
      await writeFile(join(directory, 'loose'), PROGRAM);
      await chmod(join(directory, 'loose'), 0o777);
      await writeFile(join(directory, 'text'), PROGRAM, { mode: 0o644 });
      await symlink('/usr/bin/env', join(directory, 'link'));
      const { executables, warnings } = await resolve(executable(directory));
      expect(executables).toEqual([]);
      // Without root the owner of the file is what is wrong first.
      const expected =
        process.geteuid?.() === 0 || !/writable|directory-not/u.test(want)
          ? want
          : expect.any(String);
      expect(warnings).toMatchObject([{ application: 'editor', code: expected }]);
    });
  });

  it('takes a pinned program wherever it lies', async () => {
    await withTempDirectory(async (directory) => {
      const path = join(directory, 'program');
      await writeFile(path, PROGRAM, { mode: 0o755 });
      const { executables } = await resolve({ path, digest: digestOf(PROGRAM) });
      expect(executables).toMatchObject([{ path }]);
    });
  });
});

describe('compileDeviceTable', () => {
  const base = {
    device: { id: 'd', area: 'main', compliant: true },
    offline: false,
    areas: ['main'],
    nowMs: Date.now(),
  };
  const listed = smallSet({
    'users.yaml': `default: { groups: [staff], area: main, clearance: secret }\nusers:\n  guest: { groups: [], area: main, clearance: public }\n`,
  });

  it('gives listed users rows of their own and everybody else the default', async () => {
    const { table, compileMs } = await compileDeviceTable({
      ...base,
      set: listed,
      resolveUid: () => Promise.resolve(1007),
    });
    const open = table.rows
      .filter(({ label }) => label === 'public')
      .map(({ uid, open: verdict }) => [uid, verdict]);
    expect(open).toEqual([
      [1007, 'deny'],
      ['*', 'allow'],
    ]);
    expect(compileMs).toBeGreaterThan(0);
  });

  it('shuts out the default when the name service cannot tell who is who', async () => {
    const { table, unknownUsers } = await compileDeviceTable({
      ...base,
      set: listed,
      resolveUid: () => Promise.resolve('unknown'),
    });
    expect(table.rows).toEqual([]);
    expect(unknownUsers).toEqual(['guest']);
  });

  it('asks the system for uids', async () => {
    const root = smallSet({
      'users.yaml': 'users:\n  root: { groups: [staff], area: main, clearance: public }\n',
    });
    const { table } = await compileDeviceTable({ ...base, set: root });
    expect(new Set(table.rows.map(({ uid }) => uid))).toEqual(new Set([0, '*']));
  });
});
