import {
  appendFile,
  chmod,
  link,
  lstat,
  mkdir,
  open,
  readFile,
  rename,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { noKeys } from '../../../test/support/container-samples.js';
import {
  FOLDER_SEAL,
  documentBytes,
  documentDigests,
  expectedDigests,
  listFiles,
  writeFiles,
} from '../../../test/support/folder-samples.js';
import { withTempDirectory } from '../../../test/support/temp-directory.js';
import { excludeByPatterns } from './exclude-patterns.js';
import type { FolderProgress } from './progress.js';
import { sealDirectory, type SealDirectoryOptions } from './seal-directory.js';
import { newTempName } from './temp-names.js';
import { unsealDirectory } from './unseal-directory.js';

const FILES = {
  'waybills.xlsx': documentBytes(1, 50_000),
  'empty.txt': Buffer.alloc(0),
  'letters/one byte.docx': Buffer.from('x'),
  'letters/deep/er/chunk.pdf': documentBytes(2, 16384),
  'letters/large.ods': documentBytes(3, 3 * 2 ** 20 + 7),
};

async function seal(
  root: string,
  more: Partial<SealDirectoryOptions> = {},
): ReturnType<typeof sealDirectory> {
  return sealDirectory(root, { ...FOLDER_SEAL, ...more });
}

describe('sealDirectory', () => {
  it('seals every file, byte-identical, and leaves nothing else', async () => {
    await withTempDirectory(async (root) => {
      await writeFiles(root, FILES);
      const report = await seal(root);
      expect(report).toMatchObject({ ok: true, value: { filesDone: 5, findings: [] } });
      expect(await documentDigests(root)).toEqual(expectedDigests(FILES));
      for (const path of await listFiles(root)) {
        expect((await readFile(join(root, path))).includes('PLAINTEXT-MARKER')).toBe(false);
      }
    });
  });

  it('does nothing the second time', async () => {
    await withTempDirectory(async (root) => {
      await writeFiles(root, FILES);
      await seal(root);
      const before = await lstat(join(root, 'waybills.xlsx'), { bigint: true });
      expect(await seal(root)).toMatchObject({
        ok: true,
        value: { filesDone: 0, filesAlready: 5 },
      });
      const after = await lstat(join(root, 'waybills.xlsx'), { bigint: true });
      expect(after.ino).toBe(before.ino);
    });
  });

  it('keeps mode and times', async () => {
    await withTempDirectory(async (root) => {
      const path = join(root, 'file');
      await writeFile(path, 'x');
      await chmod(path, 0o640);
      await utimes(path, 1_500_000_000, 1_600_000_000.25);
      await seal(root);
      const { mode, mtimeMs } = await stat(path);
      expect(mode & 0o7777).toBe(0o640);
      expect(mtimeMs).toBeCloseTo(1_600_000_000_250, 2);
    });
  });

  it('reports progress that ends at the totals', async () => {
    await withTempDirectory(async (root) => {
      await writeFiles(root, FILES);
      const seen: FolderProgress[] = [];
      await seal(root, { onProgress: (progress) => seen.push(progress) });
      const bytes = Object.values(FILES).reduce((sum, file) => sum + file.length, 0);
      expect(seen.at(-1)).toMatchObject({
        filesDone: 5,
        filesTotal: 5,
        bytesDone: bytes,
        bytesTotal: bytes,
        secondsLeft: 0,
      });
    });
  });

  it('tells of each sealed file', async () => {
    await withTempDirectory(async (root) => {
      await writeFiles(root, FILES);
      const events: Record<string, string> = {};
      await seal(root, {
        onSealed: ({ path, plainSha256 }) => {
          events[path] = plainSha256;
        },
      });
      expect(events).toEqual(expectedDigests(FILES));
    });
  });

  it('leaves excluded files, links and what links lead to alone', async () => {
    await withTempDirectory(async (outside) => {
      await writeFiles(outside, {
        'folder/a.docx': Buffer.from('in'),
        'target.txt': Buffer.from('out'),
      });
      const root = join(outside, 'folder');
      await writeFiles(root, {
        '.~lock.a.docx#': Buffer.from('lock'),
        'sub/~$a.docx': Buffer.from('l'),
      });
      await symlink(join(outside, 'target.txt'), join(root, 'link.txt'));
      await symlink(outside, join(root, 'up'));
      const exclude = excludeByPatterns(['.~lock.*#', '~$*']);
      expect(await seal(root, { exclude })).toMatchObject({
        ok: true,
        value: { filesDone: 1, othersSkipped: 2 },
      });
      expect(await readFile(join(outside, 'target.txt'), 'utf8')).toBe('out');
      expect(await readFile(join(root, '.~lock.a.docx#'), 'utf8')).toBe('lock');
    });
  });

  it('takes a folder by an open descriptor', async () => {
    await withTempDirectory(async (root) => {
      await writeFiles(root, FILES);
      const handle = await open(root, 'r');
      expect(await seal(`/proc/self/fd/${String(handle.fd)}`)).toMatchObject({ ok: true });
      await handle.close();
      expect(await documentDigests(root)).toEqual(expectedDigests(FILES));
    });
  });

  it('seals files whose names are no UTF-8', async () => {
    await withTempDirectory(async (root) => {
      // "运单.txt" in GBK, as archives made on other systems leave it.
      const name = Buffer.from([0xd4, 0xcb, 0xb5, 0xa5, 0x2e, 0x74, 0x78, 0x74]);
      const path = Buffer.concat([Buffer.from(`${root}/`), name]);
      await writeFile(path, 'waybill');
      expect(await seal(root)).toMatchObject({ ok: true, value: { filesDone: 1 } });
      expect((await readFile(path)).subarray(0, 8).toString()).toBe('SEALWAY1');
    });
  });

  it('keeps a sparse file sparse', async () => {
    await withTempDirectory(async (root) => {
      const handle = await open(join(root, 'sparse'), 'w');
      await handle.truncate(64 * 2 ** 20);
      await handle.write(Buffer.from('end'), 0, 3, 64 * 2 ** 20 - 3);
      await handle.close();
      const before = await documentDigests(root);
      await seal(root);
      expect((await stat(join(root, 'sparse'))).blocks * 512).toBeLessThan(4 * 2 ** 20);
      expect(`plain:${(await documentDigests(root))['sparse'] ?? ''}`).toBe(before['sparse']);
    });
  });
});

describe('hard links', () => {
  it('inside the folder stay one file', async () => {
    await withTempDirectory(async (root) => {
      await writeFiles(root, { 'a/one': documentBytes(1, 5000), 'b/other': Buffer.from('x') });
      await link(join(root, 'a/one'), join(root, 'b/two'));
      await link(join(root, 'a/one'), join(root, 'three'));
      expect(await seal(root)).toMatchObject({ ok: true, value: { filesDone: 2, findings: [] } });
      const inodes = ['a/one', 'b/two', 'three'].map(
        async (name) => (await stat(join(root, name))).ino,
      );
      expect(new Set(await Promise.all(inodes)).size).toBe(1);
      const file = documentBytes(1, 5000);
      const files = { 'a/one': file, 'b/two': file, three: file, 'b/other': Buffer.from('x') };
      expect(await documentDigests(root)).toEqual(expectedDigests(files));
      expect(await unsealDirectory(root, FOLDER_SEAL)).toMatchObject({ ok: true });
      expect((await stat(join(root, 'three'))).nlink).toBe(3);
    });
  });

  it('to the outside are a finding', async () => {
    await withTempDirectory(async (outside) => {
      const root = join(outside, 'folder');
      await writeFiles(root, { a: Buffer.from('x') });
      await link(join(root, 'a'), join(outside, 'b'));
      expect(await seal(root)).toMatchObject({
        ok: true,
        value: {
          filesDone: 0,
          findings: [{ path: 'a', error: { code: 'E_FOLDER_HARD_LINK_OUTSIDE' } }],
        },
      });
      expect(await readFile(join(root, 'a'), 'utf8')).toBe('x');
    });
  });
});

describe('a file that changes while it is sealed', () => {
  it('is sealed as it was last, when the change comes early', async () => {
    await withTempDirectory(async (root) => {
      const path = join(root, 'file');
      await writeFile(path, documentBytes(1, 3 * 2 ** 20));
      let changed = false;
      const keyFor: SealDirectoryOptions['keyFor'] = async (name) => {
        if (!changed) await appendFile(path, 'late words');
        changed = true;
        return FOLDER_SEAL.keyFor(name);
      };
      expect(await seal(root, { keyFor })).toMatchObject({ ok: true, value: { filesDone: 1 } });
      const whole = Buffer.concat([documentBytes(1, 3 * 2 ** 20), Buffer.from('late words')]);
      expect(await documentDigests(root)).toEqual(expectedDigests({ file: whole }));
    });
  });

  it('is left alone when it never stops', async () => {
    await withTempDirectory(async (root) => {
      const path = join(root, 'file');
      await writeFile(path, 'x');
      const keyFor: SealDirectoryOptions['keyFor'] = async (name) => {
        await appendFile(path, 'x');
        return FOLDER_SEAL.keyFor(name);
      };
      expect(await seal(root, { keyFor })).toMatchObject({
        ok: true,
        value: { filesDone: 0, findings: [{ error: { code: 'E_FOLDER_FILE_CHANGED' } }] },
      });
      expect(await listFiles(root)).toEqual(['file']);
    });
  });

  it('is left alone when another takes its name', async () => {
    await withTempDirectory(async (root) => {
      await writeFiles(root, { file: Buffer.from('old') });
      let renamed = 0;
      const keyFor: SealDirectoryOptions['keyFor'] = async (name) => {
        await writeFile(join(root, 'next'), `new ${String(renamed++)}`);
        await rename(join(root, 'next'), join(root, 'file'));
        return FOLDER_SEAL.keyFor(name);
      };
      expect(await seal(root, { keyFor })).toMatchObject({ ok: true, value: { filesDone: 0 } });
      expect(await readFile(join(root, 'file'), 'utf8')).toMatch(/^new/);
    });
  });
});

describe('a run that stops', () => {
  it('says which key is missing and changes nothing', async () => {
    await withTempDirectory(async (root) => {
      await writeFiles(root, FILES);
      expect(await seal(root, { keyFor: noKeys })).toMatchObject({
        ok: false,
        error: { code: 'E_CONTAINER_KEY' },
      });
      const digests = Object.values(await documentDigests(root));
      expect(digests.every((digest) => digest.startsWith('plain:'))).toBe(true);
      expect(await listFiles(root)).toEqual(Object.keys(FILES).sort());
    });
  });

  it('on request leaves each file sealed or as it was', async () => {
    await withTempDirectory(async (root) => {
      await writeFiles(root, FILES);
      const stop = new AbortController();
      const onSealed = (): void => {
        stop.abort();
      };
      expect(await seal(root, { signal: stop.signal, onSealed, concurrency: 1 })).toMatchObject({
        ok: false,
        error: { code: 'E_FOLDER_CANCELLED' },
      });
      expect(await listFiles(root)).toEqual(Object.keys(FILES).sort());
      await seal(root);
      expect(await documentDigests(root)).toEqual(expectedDigests(FILES));
    });
  });

  it.each([
    { id: 'missing', name: 'nowhere', code: 'E_FOLDER_NOT_FOUND' },
    { id: 'file', name: 'a', code: 'E_WRONG_TYPE' },
  ])('$id is no folder', async ({ name, code }) => {
    await withTempDirectory(async (root) => {
      await writeFiles(root, { a: Buffer.from('x') });
      expect(await seal(join(root, name))).toMatchObject({ ok: false, error: { code } });
    });
  });
});

describe('leftovers of killed runs', () => {
  it('are removed, and nothing else that looks like them', async () => {
    await withTempDirectory(async (root) => {
      const inUse = newTempName('seal').toString();
      await writeFiles(root, {
        [`.sealway-tmp-${'a'.repeat(32)}`]: Buffer.from('SEALWAY1 torn'),
        [`sub/.sealway-undo-${'0'.repeat(32)}`]: Buffer.from('plain'),
        [inUse]: Buffer.from('another worker writes this'),
        '.sealway-tmp-mine': Buffer.from('a document with an odd name'),
      });
      expect(await seal(root)).toMatchObject({
        ok: true,
        value: { leftoversRemoved: 2, filesDone: 1 },
      });
      expect(await listFiles(root)).toEqual([inUse, '.sealway-tmp-mine'].sort());
    });
  });
});

describe('damaged containers', () => {
  it('are findings and are not sealed once more', async () => {
    await withTempDirectory(async (root) => {
      await writeFiles(root, { bad: Buffer.from('SEALWAY1 and no more') });
      expect(await seal(root)).toMatchObject({
        ok: true,
        value: { filesDone: 0, findings: [{ path: 'bad', error: { code: 'E_CONTAINER_SHORT' } }] },
      });
    });
  });
});

describe('unsealDirectory', () => {
  it('gives back what was sealed', async () => {
    await withTempDirectory(async (root) => {
      await writeFiles(root, FILES);
      await mkdir(join(root, 'none'));
      await seal(root);
      expect(await unsealDirectory(root, FOLDER_SEAL)).toMatchObject({
        ok: true,
        value: { filesDone: 5, findings: [] },
      });
      for (const [name, bytes] of Object.entries(FILES)) {
        expect((await readFile(join(root, name))).equals(bytes)).toBe(true);
      }
      expect(await listFiles(root)).toEqual(Object.keys(FILES).sort());
    });
  });

  it('leaves a file sealed whose seal is broken', async () => {
    await withTempDirectory(async (root) => {
      await writeFiles(root, { a: Buffer.from('x'), b: Buffer.from('y') });
      await seal(root);
      const bytes = await readFile(join(root, 'a'));
      bytes[4096 + 12] = (bytes[4096 + 12] ?? 0) ^ 1;
      await writeFile(join(root, 'a'), bytes);
      expect(await unsealDirectory(root, FOLDER_SEAL)).toMatchObject({
        ok: true,
        value: { filesDone: 1, findings: [{ path: 'a', error: { code: 'E_CONTAINER_CHUNK' } }] },
      });
      expect((await readFile(join(root, 'a'))).equals(bytes)).toBe(true);
      expect(await readFile(join(root, 'b'), 'utf8')).toBe('y');
    });
  });
});
