import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  FOLDER_SEAL,
  documentBytes,
  documentDigests,
  expectedDigests,
  writeFiles,
} from '../../../test/support/folder-samples.js';
import { withTempDirectory } from '../../../test/support/temp-directory.js';
import { openInChild } from '../../../test/support/writing-child.js';
import { excludeByPatterns } from './exclude-patterns.js';
import type { SealedEvent } from './file-sealer.js';
import { watchFolder, type WatchFolderOptions, type WatchedFolder } from './watched-folder.js';

/** What was sealed so far, and a way to wait for more. */
interface Seen {
  readonly paths: string[];
  /** Resolves once `path` has been sealed (again, when it was before). */
  sealed(path: string): Promise<SealedEvent>;
}

async function watching(
  root: string,
  use: (seen: Seen, folder: WatchedFolder) => Promise<void>,
  more: Partial<WatchFolderOptions> = {},
): Promise<void> {
  const paths: string[] = [];
  const waiters: { path: string; resolve: (event: SealedEvent) => void }[] = [];
  const onSealed = (event: SealedEvent): void => {
    paths.push(event.path);
    for (const waiter of waiters) if (waiter.path === event.path) waiter.resolve(event);
  };
  const folder = await watchFolder(root, { ...FOLDER_SEAL, settleMs: 60, onSealed, ...more });
  if (!folder.ok) throw new Error(folder.error.detail);
  const sealed = (path: string): Promise<SealedEvent> =>
    new Promise((resolve) => {
      waiters.push({ path, resolve });
    });
  try {
    await use({ paths, sealed }, folder.value);
  } finally {
    await folder.value.close();
  }
}

describe('watchFolder', () => {
  it('seals what is there and what appears, also in new directories', async () => {
    await withTempDirectory(async (root) => {
      const files = {
        before: documentBytes(1, 5000),
        after: documentBytes(2, 20_000),
        'new/deep/file': documentBytes(3, 100),
      };
      await writeFiles(root, { before: files.before });
      await watching(root, async (seen, folder) => {
        const all = Object.keys(files).map((path) =>
          seen.paths.includes(path) ? Promise.resolve() : seen.sealed(path),
        );
        await mkdir(join(root, 'new/deep'), { recursive: true });
        await writeFiles(root, { after: files.after, 'new/deep/file': files['new/deep/file'] });
        await Promise.all(all);
        await folder.whenIdle();
      });
      expect(await documentDigests(root)).toEqual(expectedDigests(files));
    });
  });

  it('seals a file once, and does not take its own work for news', async () => {
    await withTempDirectory(async (root) => {
      await watching(root, async (seen, folder) => {
        const done = seen.sealed('a');
        await writeFiles(root, { a: documentBytes(1, 300) });
        await done;
        const second = seen.sealed('b');
        await writeFiles(root, { b: documentBytes(2, 300) });
        await second;
        await folder.whenIdle();
        expect(seen.paths.sort()).toEqual(['a', 'b']);
      });
    });
  });

  it('waits for a file that is written piece by piece', async () => {
    await withTempDirectory(async (root) => {
      await watching(root, async (seen) => {
        const writer = await openInChild(join(root, 'download'), 'first ');
        const other = seen.sealed('other');
        await writeFile(join(root, 'other'), 'x');
        await other;
        expect(seen.paths).toEqual(['other']);
        const done = seen.sealed('download');
        await writer.write('second');
        await done;
      });
      expect(await documentDigests(root)).toMatchObject(
        expectedDigests({ download: Buffer.from('first second') }),
      );
    });
  });

  it('follows the rename of a finished download', async () => {
    await withTempDirectory(async (root) => {
      const exclude = excludeByPatterns(['*.part']);
      await watching(
        root,
        async (seen, folder) => {
          await writeFile(join(root, 'file.part'), 'all of it');
          await folder.whenIdle();
          const done = seen.sealed('file.pdf');
          await rename(join(root, 'file.part'), join(root, 'file.pdf'));
          await done;
          expect(seen.paths).toEqual(['file.pdf']);
        },
        { exclude },
      );
    });
  });

  it('seals again what was replaced by plaintext', async () => {
    await withTempDirectory(async (root) => {
      await watching(root, async (seen) => {
        const first = seen.sealed('a');
        await writeFiles(root, { a: Buffer.from('one') });
        await first;
        const second = seen.sealed('a');
        await writeFile(join(root, 'editor-temp'), 'two');
        await rename(join(root, 'editor-temp'), join(root, 'a'));
        await second;
      });
      expect((await readFile(join(root, 'a'))).subarray(0, 8).toString()).toBe('SEALWAY1');
      expect(await documentDigests(root)).toMatchObject(expectedDigests({ a: Buffer.from('two') }));
    });
  });

  it('does not watch what is no folder', async () => {
    await withTempDirectory(async (root) => {
      expect(await watchFolder(join(root, 'none'), FOLDER_SEAL)).toMatchObject({
        error: { code: 'E_FOLDER_NOT_FOUND' },
      });
    });
  });
});
