import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withTempDirectory } from '../../../test/support/temp-directory.js';
import { checkProtectable, whyNotProtectable } from './protect-check.js';

const STATE = '/var/lib/sealway';

describe('whyNotProtectable', () => {
  it.each([
    { id: 'root', directory: '/', others: [] },
    { id: 'home', directory: '/home', others: [] },
    { id: 'below-etc', directory: '/etc/sealway', others: [] },
    { id: 'the-state', directory: STATE, others: [] },
    { id: 'above-the-state', directory: '/var/lib', others: [] },
    { id: 'inside-another', directory: '/srv/a/b', others: ['/srv/a'] },
    { id: 'around-another', directory: '/srv', others: ['/srv/a'] },
  ])('$id is refused', ({ directory, others }) => {
    expect(whyNotProtectable(directory, others, STATE)).toContain(directory);
  });

  it.each([
    { id: 'a-home-folder', directory: '/home/li/documents', others: [] },
    { id: 'a-name-that-begins-alike', directory: '/srv/ab', others: ['/srv/a'] },
    { id: 'itself-again', directory: '/srv/a', others: ['/srv/a'] },
  ])('$id is fine', ({ directory, others }) => {
    expect(whyNotProtectable(directory, others, STATE)).toBeUndefined();
  });
});

describe('checkProtectable', () => {
  it('follows-a-symbolic-link-to-the-real-place', async () => {
    await withTempDirectory(async (directory) => {
      await mkdir(join(directory, 'real'));
      await symlink(join(directory, 'real'), join(directory, 'link'));
      const checked = await checkProtectable(join(directory, 'link'), [], STATE);
      expect(checked).toEqual({ ok: true, value: join(directory, 'real') });
    });
  });

  it('names-what-is-missing', async () => {
    const checked = await checkProtectable('/nowhere/at/all', [], STATE);
    expect(checked).toMatchObject({ ok: false, error: { code: 'E_FOLDER_NOT_FOUND' } });
  });

  it('refuses-a-file', async () => {
    await withTempDirectory(async (directory) => {
      await writeFile(join(directory, 'file'), '');
      const checked = await checkProtectable(join(directory, 'file'), [], STATE);
      expect(checked).toMatchObject({ ok: false, error: { code: 'E_PROTECT_REFUSED' } });
    });
  });
});
