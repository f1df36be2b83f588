import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { diskSizeOf } from '#src/core/container/geometry.js';
import { inspectSealedFile } from '#src/platform/container/inspect.js';
import { OTHER_KEY, keyLookup } from '../support/container-samples.js';
import { documentBytes } from '../support/folder-samples.js';
import { requireSealctr, sealctr } from '../support/sealctr.js';
import { readSealed, sealBytes } from '../support/sealed-file.js';

const SIZES = [12, 14, 20].flatMap((log2) => {
  const chunk = 2 ** log2;
  return [0, 1, chunk - 1, chunk, chunk + 1, 2 ** 20 + 7].map((size) => ({
    id: `chunk-2^${String(log2)}-size-${String(size)}`,
    log2,
    size,
  }));
});

let directory: string;

beforeAll(async () => {
  requireSealctr();
  directory = await mkdtemp(join(tmpdir(), 'sealway-cross-'));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const at = (name: string): string => join(directory, name);

function sealArgs(log2: number, input: string, output: string): string[] {
  const names = ['--label', 'vertraulich é', '--area', '分拨/杭州', '--epoch', '3'];
  return ['seal', '--key-fd', '3', ...names, '--chunk-log2', String(log2), input, output];
}

describe('the native tool opens what TypeScript seals', () => {
  it.each(SIZES)('$id', async ({ log2, size }) => {
    const plain = documentBytes(size, size);
    await sealBytes(at('ts'), plain, { chunkSizeLog2: log2, label: 'vertraulich é', epoch: 3 });
    await rm(at('out'), { force: true });
    const opened = await sealctr(['open', '--key-fd', '3', at('ts'), at('out')]);
    expect(opened).toMatchObject({ status: 0, stderr: '' });
    expect((await readFile(at('out'))).equals(plain)).toBe(true);
    expect((await stat(at('ts'))).size).toBe(diskSizeOf(log2, size));
  });

  it('with holes', async () => {
    const plain = Buffer.alloc(5 * 2 ** 20);
    plain.write('in the middle', 3 * 2 ** 20);
    await sealBytes(at('ts'), plain, { zeroChunks: 'hole' });
    await rm(at('out'), { force: true });
    expect(await sealctr(['open', '--key-fd', '3', at('ts'), at('out')])).toMatchObject({
      status: 0,
    });
    expect((await readFile(at('out'))).equals(plain)).toBe(true);
  });

  it('and refuses it by the same codes when it is cut', async () => {
    await sealBytes(at('ts'), documentBytes(1, 50_000));
    const bytes = await readFile(at('ts'));
    await writeFile(at('cut'), bytes.subarray(0, bytes.length - 1));
    const native = await sealctr(['open', '--key-fd', '3', at('cut'), at('never')]);
    const { error } = await readSealed(at('cut'));
    expect(native.status).toBe(1);
    expect(native.stderr.split(':')[0]).toBe(error?.code);
  });
});

describe('TypeScript opens what the native tool seals', () => {
  it.each(SIZES)('$id', async ({ log2, size }) => {
    const plain = documentBytes(size, size);
    await writeFile(at('in'), plain);
    await rm(at('native'), { force: true });
    const sealed = await sealctr(sealArgs(log2, at('in'), at('native')));
    expect(sealed).toMatchObject({ status: 0, stderr: '' });
    const read = await readSealed(at('native'));
    expect(read).toMatchObject({ error: null, findings: [] });
    expect(read.plain.equals(plain)).toBe(true);
    expect(await inspectSealedFile(at('native'))).toMatchObject({
      ok: true,
      value: { label: 'vertraulich é', area: '分拨/杭州', key: { epoch: 3 }, plainSize: size },
    });
  });

  it('sparse', async () => {
    const handle = await open(at('in'), 'w');
    await handle.truncate(8 * 2 ** 20 + 5);
    await handle.write(Buffer.from('here'), 0, 4, 2 ** 20 + 1);
    await handle.close();
    await rm(at('native'), { force: true });
    expect(await sealctr(sealArgs(14, at('in'), at('native')))).toMatchObject({ status: 0 });
    const read = await readSealed(at('native'));
    expect(read.error).toBeNull();
    expect(read.plain.equals(await readFile(at('in')))).toBe(true);
  });

  it('but not with another key', async () => {
    await writeFile(at('in'), 'secret');
    await rm(at('native'), { force: true });
    await sealctr(sealArgs(14, at('in'), at('native')));
    const { error, plain } = await readSealed(at('native'), keyLookup(OTHER_KEY));
    expect(error?.code).toBe('E_CONTAINER_KEY');
    expect(plain).toHaveLength(0);
  });
});

describe('both say the same of a file without a key', () => {
  it('label, area, epoch and file id', async () => {
    const { fileId } = await sealBytes(at('ts'), Buffer.from('x'));
    const info = await sealctr(['info', at('ts')]);
    expect(info.status).toBe(0);
    for (const word of ['internal', 'dispatch', fileId]) expect(info.stdout).toContain(word);
  });
});
