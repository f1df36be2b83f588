import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isTempName } from '#src/agent/folders/temp-names.js';
import {
  documentBytes,
  documentDigests,
  expectedDigests,
  listFiles,
  writeFiles,
} from '../support/folder-samples.js';
import { sealInChild } from '../support/sealing-child.js';
import { withTempDirectory } from '../support/temp-directory.js';

const FILES = Object.fromEntries(
  Array.from({ length: 300 }, (_, i): [string, Buffer] => [
    `branch ${String(i % 7)}/file ${String(i)}.xlsx`,
    documentBytes(i, [0, 1, 700, 16384, 90_000, 400_000][i % 6] ?? 0),
  ]),
);
const KILLS = 12;

describe('kill -9 while a folder is sealed', () => {
  it('loses nothing, and the next runs finish the work', async () => {
    await withTempDirectory(async (root) => {
      await writeFiles(root, FILES);
      let sealed = 0;
      let kills = 0;
      for (let i = 0; i < KILLS; i++) {
        const kill = { afterFiles: Math.floor(Math.random() * 30), afterMs: Math.random() * 30 };
        const end = await sealInChild(root, kill);
        expect(end.stderr).toBe('');
        sealed += end.sealedFiles;
        kills += end.killed ? 1 : 0;
        // At every moment each document is there, sealed or as it was, and whole.
        const digests = await documentDigests(root);
        for (const [path, digest] of Object.entries(expectedDigests(FILES))) {
          expect(digests[path]?.replace('plain:', '')).toBe(digest);
        }
        const others = Object.keys(digests).filter((path) => !(path in FILES));
        const temps = others.filter((path) => isTempName(path.slice(path.lastIndexOf('/') + 1)));
        expect(others).toEqual(temps);
      }
      const last = await sealInChild(root, null);
      expect(JSON.parse(last.lastLine)).toMatchObject({ ok: true, value: { findings: [] } });
      expect(kills).toBeGreaterThan(3);
      expect(sealed + last.sealedFiles).toBeGreaterThanOrEqual(300 - kills * 2);
      expect(await documentDigests(root)).toEqual(expectedDigests(FILES));
      for (const path of await listFiles(root)) {
        expect((await readFile(join(root, path))).includes('PLAINTEXT-MARKER')).toBe(false);
      }
    });
  }, 240_000);
});
