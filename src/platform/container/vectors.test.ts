import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keyLookup } from '../../../test/support/container-samples.js';
import { withTempDirectory } from '../../../test/support/temp-directory.js';
import { loadVectors, parseVector } from '../../../test/support/vectors.js';
import { verifySealed } from './open-sealed.js';

const VECTORS = join(import.meta.dirname, '../../../test/vectors/container');

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sealway-vectors-'));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

describe('container vectors', () => {
  it.each(loadVectors(VECTORS))('$id', async ({ id, bytes, key, ...want }) => {
    const path = join(directory, id);
    await writeFile(path, bytes);
    const got = await verifySealed(path, keyLookup(key));
    if (want.expect === 'ok') {
      const { plainSize, plainSha256, findings } = want;
      expect(got).toMatchObject({ ok: true, value: { plainSize, plainSha256 } });
      expect(got.ok && [...got.value.findings].sort()).toEqual([...findings].sort());
    } else {
      expect(got).toMatchObject({ ok: false, error: { code: want.expect } });
    }
  });
});

describe('the loader', () => {
  it('throws on a folder without vectors', async () => {
    await withTempDirectory((empty) => {
      expect(() => loadVectors(empty)).toThrow('no *.vec files');
      return Promise.resolve();
    });
  });

  it.each([
    { id: 'no-end', text: 'expect: ok' },
    { id: 'no-key', text: 'expect: E_CONTAINER_KEY\nwhy: x\n\n' },
    { id: 'no-size', text: 'expect: ok\nkey: 00\nwhy: x\n\n' },
    { id: 'no-field', text: 'nonsense\n\n' },
  ])('throws on $id', ({ text }) => {
    expect(() => parseVector('x.vec', Buffer.from(text))).toThrow('x.vec');
  });
});
