import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProcess } from '../../platform/child-process.js';
import { SMALL_FILES } from '../../../test/support/policy-files.js';
import { withTempDirectory } from '../../../test/support/temp-directory.js';
import { PolicyStore } from './policy-store.js';

async function writeSet(directory: string): Promise<void> {
  for (const [name, text] of Object.entries(SMALL_FILES))
    await writeFile(join(directory, name), text);
}

async function withStore(
  use: (store: PolicyStore, directory: string) => Promise<void>,
): Promise<void> {
  await withTempDirectory(async (directory) => {
    await writeSet(directory);
    const store = new PolicyStore();
    try {
      await use(store, directory);
    } finally {
      await store.close();
    }
  });
}

describe('PolicyStore', () => {
  it('loads a set and says which', async () => {
    await withStore(async (store, directory) => {
      const loaded = await store.load(directory, { allowLab: false });
      expect(loaded).toMatchObject({ ok: true, value: { set: { name: 'small' } } });
      expect(store.current?.version).toMatch(/^[0-9a-f]{64}$/u);
    });
  });

  it('passes over notes and left-overs', async () => {
    await withStore(async (store, directory) => {
      await writeFile(join(directory, 'README.md'), 'notes');
      await writeFile(join(directory, 'labels.yaml~'), 'old: thing');
      await writeFile(join(directory, '.labels.yaml.swp'), Buffer.from([0xff]));
      expect(await store.load(directory, { allowLab: false })).toMatchObject({ ok: true });
    });
  });

  it('keeps the old set on an error, tells it, and takes the repaired set', async () => {
    await withStore(async (store, directory) => {
      await store.load(directory, { allowLab: false });
      const version = store.current?.version;
      await store.watch();
      const rejected = once(store, 'rejected');
      await writeFile(join(directory, 'rules.cedar'), 'permit (principal, action, resource)');
      expect((await rejected)[0]).toMatchObject({ code: 'E_POLICY_INVALID' });
      expect(store.current?.version).toBe(version);
      expect(store.rejected?.detail).toMatch(/rules\.cedar:1/u);

      const changed = once(store, 'changed');
      await writeFile(
        join(directory, 'rules.cedar'),
        '@id("none")\npermit (principal, action == Action::"run", resource);',
      );
      await changed;
      expect(store.current?.rules.map(({ id }) => id)).toEqual(['none']);
      expect(store.rejected).toBeNull();
    });
  });

  it('keeps the old set when the directory goes away', async () => {
    await withStore(async (store, directory) => {
      await store.load(directory, { allowLab: false });
      await rm(directory, { recursive: true });
      expect(await store.reload()).toMatchObject({
        ok: false,
        error: { code: 'E_POLICY_NOT_FOUND' },
      });
      expect(store.current?.name).toBe('small');
    });
  });

  it('does not announce a set that is the same', async () => {
    await withStore(async (store, directory) => {
      let changes = 0;
      store.on('changed', () => (changes += 1));
      await store.load(directory, { allowLab: false });
      await store.reload();
      expect(changes).toBe(1);
    });
  });

  it.each<{ id: string; spoil: (directory: string) => Promise<unknown>; code: string }>([
    {
      id: 'lab-unasked',
      spoil: (d) => writeFile(join(d, 'set.yaml'), `${SMALL_FILES['set.yaml'] ?? ''}lab: true\n`),
      code: 'E_POLICY_LAB',
    },
    {
      id: 'not-utf-8',
      spoil: (d) => writeFile(join(d, 'labels.yaml'), Buffer.from([0x61, 0xff])),
      code: 'E_POLICY_UNREADABLE',
    },
    {
      id: 'too-large',
      spoil: (d) => writeFile(join(d, 'more.cedar'), '/'.repeat(5 << 20)),
      code: 'E_POLICY_TOO_LARGE',
    },
    {
      id: 'named-pipe',
      spoil: (d) => runProcess('/usr/bin/mkfifo', [join(d, 'more.cedar')]),
      code: 'E_POLICY_NOT_FOUND',
    },
    {
      id: 'device',
      spoil: (d) => symlink('/dev/zero', join(d, 'more.cedar')),
      code: 'E_POLICY_NOT_FOUND',
    },
    {
      id: 'foreign-file',
      spoil: (d) => writeFile(join(d, 'extra.yaml'), ''),
      code: 'E_POLICY_INVALID',
    },
    { id: 'no-directory', spoil: (d) => rm(d, { recursive: true }), code: 'E_POLICY_NOT_FOUND' },
    {
      id: 'empty-directory',
      spoil: async (d) => {
        await rm(d, { recursive: true });
        await mkdir(d);
      },
      code: 'E_POLICY_INVALID',
    },
  ])('refuses $id', async ({ spoil, code }) => {
    await withStore(async (store, directory) => {
      await spoil(directory);
      expect(await store.load(directory, { allowLab: false })).toMatchObject({
        ok: false,
        error: { code },
      });
      expect(store.current).toBeNull();
    });
  });

  it('has nothing before a directory was named', async () => {
    expect(await new PolicyStore().reload()).toMatchObject({
      ok: false,
      error: { code: 'E_POLICY_NONE' },
    });
  });
});
