import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { sealDirectory } from '#src/agent/folders/seal-directory.js';
import {
  FOLDER_SEAL,
  documentBytes,
  documentDigests,
  expectedDigests,
  listFiles,
  writeFiles,
} from '../support/folder-samples.js';
import { describeWhere, missingRoot } from '../support/requirements.js';
import { withTempDirectory } from '../support/temp-directory.js';

const run = promisify(execFile);

/** Runs `use` on a small file system in memory, mounted below a fresh directory. */
async function withSmallStore(
  megabytes: number,
  use: (root: string) => Promise<void>,
): Promise<void> {
  await withTempDirectory(async (root) => {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${String(megabytes)}m`, 'none', root]);
    try {
      await use(root);
    } finally {
      await run('umount', [root]);
    }
  });
}

/** Descriptors of this process that lead below `root`: there must be none after a run. */
async function openBelow(root: string): Promise<number> {
  const { stdout } = await run('find', [
    '/proc/' + String(process.pid) + '/fd',
    '-lname',
    `${root}*`,
  ]);
  return stdout.split('\n').filter((line) => line !== '').length;
}

describeWhere([missingRoot()], 'sealing on a store that refuses', () => {
  it('a full disk stops the run and loses nothing', async () => {
    await withSmallStore(4, async (root) => {
      const files = { 'a small': documentBytes(1, 1000), 'b large': documentBytes(2, 3_500_000) };
      await writeFiles(root, files);
      expect(await sealDirectory(root, { ...FOLDER_SEAL, concurrency: 1 })).toMatchObject({
        ok: false,
        error: { code: 'E_DISK_FULL', detail: expect.stringContaining('b large') as unknown },
      });
      expect(await listFiles(root)).toEqual(['a small', 'b large']);
      const whole = expectedDigests(files);
      expect(await documentDigests(root)).toEqual({
        'a small': whole['a small'],
        'b large': `plain:${whole['b large'] ?? ''}`,
      });
      expect(await openBelow(root)).toBe(0);
      await run('mount', ['-o', 'remount,size=16m', root]);
      expect(await sealDirectory(root, FOLDER_SEAL)).toMatchObject({ ok: true });
      expect(await documentDigests(root)).toEqual(whole);
    });
  });

  it('a read-only store stops the run, unless there is nothing to do', async () => {
    await withSmallStore(4, async (root) => {
      await writeFiles(root, { a: documentBytes(1, 1000) });
      await run('mount', ['-o', 'remount,ro', root]);
      expect(await sealDirectory(root, FOLDER_SEAL)).toMatchObject({
        ok: false,
        error: { code: 'E_READ_ONLY' },
      });
      await run('mount', ['-o', 'remount,rw', root]);
      expect(await sealDirectory(root, FOLDER_SEAL)).toMatchObject({ ok: true });
      await run('mount', ['-o', 'remount,ro', root]);
      expect(await sealDirectory(root, FOLDER_SEAL)).toMatchObject({ ok: true });
    });
  });

  it('another mount below the folder is not entered', async () => {
    await withTempDirectory(async (root) => {
      await writeFiles(root, {
        'own/a': documentBytes(1, 10),
        'elsewhere/b': documentBytes(2, 10),
      });
      await writeFiles(root, { 'bound/placeholder': Buffer.from('x') });
      // A bind mount of the same file system: the device number does not tell.
      await run('mount', ['--bind', `${root}/elsewhere`, `${root}/bound`]);
      try {
        const report = await sealDirectory(root, {
          ...FOLDER_SEAL,
          exclude: (path) => path.startsWith('elsewhere/'),
        });
        expect(report).toMatchObject({ ok: true, value: { filesDone: 1, othersSkipped: 1 } });
        expect(await documentDigests(`${root}/bound`)).toMatchObject({
          b: expect.stringMatching(/^plain:/) as unknown,
        });
      } finally {
        await run('umount', [`${root}/bound`]);
      }
      expect(await readdir(`${root}/own`)).toEqual(['a']);
    });
  });
});
