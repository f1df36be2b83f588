import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  FOLDER_SEAL,
  documentDigests,
  expectedDigests,
} from '../../../test/support/folder-samples.js';
import { withTempDirectory } from '../../../test/support/temp-directory.js';
import { openInChild, type WritingChild } from '../../../test/support/writing-child.js';
import { filesOpenForWriting, inodeKey } from './open-writers.js';
import { sealDirectory, type SealDirectoryOptions } from './seal-directory.js';

describe('a file that another process has open for writing', () => {
  it('is seen', async () => {
    await withTempDirectory(async (root) => {
      const path = join(root, 'file');
      await writeFile(path, 'x');
      const key = inodeKey(await stat(path, { bigint: true }));
      expect((await filesOpenForWriting()).has(key)).toBe(false);
      const writer = await openInChild(path);
      expect((await filesOpenForWriting()).has(key)).toBe(true);
      await writer.write('');
    });
  });

  it('is left for a later run', async () => {
    await withTempDirectory(async (root) => {
      const path = join(root, 'file');
      await writeFile(path, 'begin ');
      const writer = await openInChild(path);
      expect(await sealDirectory(root, FOLDER_SEAL)).toMatchObject({
        ok: true,
        value: {
          filesDone: 0,
          findings: [{ path: 'file', error: { code: 'E_FOLDER_FILE_IN_USE' } }],
        },
      });
      await writer.write('end');
      expect(await sealDirectory(root, FOLDER_SEAL)).toMatchObject({ value: { filesDone: 1 } });
      expect(await documentDigests(root)).toEqual(
        expectedDigests({ file: Buffer.from('begin end') }),
      );
    });
  });

  it('is sealed once more when it was opened during the sealing and written after it', async () => {
    await withTempDirectory(async (root) => {
      const path = join(root, 'file');
      await writeFile(path, 'begin ');
      let writer: WritingChild | null = null;
      const keyFor: SealDirectoryOptions['keyFor'] = async (name) => {
        writer ??= await openInChild(path);
        return FOLDER_SEAL.keyFor(name);
      };
      const writes: Promise<void>[] = [];
      const onSealed = (): void => {
        if (writes.length === 0) writes.push(writer?.write('late') ?? Promise.resolve());
      };
      const report = await sealDirectory(root, { ...FOLDER_SEAL, keyFor, onSealed });
      await Promise.all(writes);
      expect(report).toMatchObject({ ok: true, value: { filesDone: 1, findings: [] } });
      expect(await documentDigests(root)).toEqual(
        expectedDigests({ file: Buffer.from('begin late') }),
      );
    });
  });
});
