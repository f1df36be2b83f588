import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { frameOffset, frameSize } from '#src/core/container/geometry.js';
import { readAsSealed, sealBytes } from '../../support/sealed-file.js';

const LOG2 = 12;
const FRAME = frameSize(LOG2);
const PLAIN = Buffer.from(Array.from({ length: 3 * 4096 + 100 }, (_, i) => (i * 31) % 251));

let directory: string;
let sealed: Buffer;
let sibling: Buffer;
let scratch: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sealway-corrupt-'));
  scratch = join(directory, 'scratch');
  await sealBytes(join(directory, 'one'), PLAIN, { chunkSizeLog2: LOG2 });
  await sealBytes(join(directory, 'two'), PLAIN, { chunkSizeLog2: LOG2 });
  sealed = await readFile(join(directory, 'one'));
  sibling = await readFile(join(directory, 'two'));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

function frameOf(bytes: Buffer, index: number): Buffer {
  return bytes.subarray(frameOffset(LOG2, index), frameOffset(LOG2, index + 1));
}

function flip(bytes: Buffer, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
}

describe('a changed byte', () => {
  it('is an error, or the same document with a finding', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.nat(sealed.length - 1), fc.nat(4095)),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const bytes = Buffer.from(sealed);
          bytes[at] = (bytes[at] ?? 0) ^ flip;
          const { plain, error, findings } = await readAsSealed(scratch, bytes);
          if (error === null) {
            expect(findings).toContain('slot-damaged');
            expect(plain.equals(PLAIN)).toBe(true);
          } else {
            expect(error.code).toMatch(/^E_CONTAINER_/);
            expect(plain.equals(PLAIN.subarray(0, plain.length))).toBe(true);
          }
        },
      ),
      { numRuns: 600 },
    );
  });

  it('in a frame gives no byte of a cleanly closed document', async () => {
    const bytes = Buffer.from(sealed);
    flip(bytes, frameOffset(LOG2, 3) - 1);
    const { plain, error } = await readAsSealed(scratch, bytes);
    expect(error?.code).toBe('E_CONTAINER_SEAL');
    expect(plain).toHaveLength(0);
  });

  it('in the ciphertext names the chunk', async () => {
    const bytes = Buffer.from(sealed);
    flip(bytes, frameOffset(LOG2, 2) + 20);
    const { plain, error } = await readAsSealed(scratch, bytes);
    expect(error).toMatchObject({ code: 'E_CONTAINER_CHUNK', detail: 'chunk 2' });
    expect(plain.equals(PLAIN.subarray(0, 2 * 4096))).toBe(true);
  });
});

describe('truncation', () => {
  it.each([0, 1, 2, 3])('at the boundary before frame %i', async (index) => {
    const { plain, error } = await readAsSealed(scratch, sealed.subarray(0, frameOffset(LOG2, index)));
    expect(error?.code).toBe('E_CONTAINER_TRUNCATED');
    expect(plain).toHaveLength(0);
  });

  it('at any byte', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(sealed.length - 1), async (size) => {
        const { plain, error } = await readAsSealed(scratch, sealed.subarray(0, size));
        const short = size < 8 ? 'E_CONTAINER_MAGIC' : 'E_CONTAINER_SHORT';
        expect(error?.code).toBe(size < 4096 ? short : 'E_CONTAINER_TRUNCATED');
        expect(plain).toHaveLength(0);
      }),
      { numRuns: 150 },
    );
  });

  it('is not undone by appending', async () => {
    const longer = Buffer.concat([sealed.subarray(0, frameOffset(LOG2, 3)), Buffer.alloc(FRAME)]);
    expect((await readAsSealed(scratch, longer)).error?.code).toBe('E_CONTAINER_SEAL');
  });
});

describe('frames moved about', () => {
  function assembled(...frames: Buffer[]): Buffer {
    return Buffer.concat([sealed.subarray(0, 4096), ...frames]);
  }

  it('swapped within the file', async () => {
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => frameOf(sealed, i)) as [Buffer, Buffer, Buffer, Buffer];
    const { plain, error } = await readAsSealed(scratch, assembled(b, a, c, d));
    expect(error?.code).toBe('E_CONTAINER_SEAL');
    expect(plain).toHaveLength(0);
  });

  it('taken from another file of the same key and content', async () => {
    const bytes = Buffer.from(sealed);
    frameOf(sibling, 1).copy(bytes, frameOffset(LOG2, 1));
    const { plain, error } = await readAsSealed(scratch, bytes);
    expect(error?.code).toBe('E_CONTAINER_SEAL');
    expect(plain).toHaveLength(0);
  });

  it.each([0, 1, 2, 3])('frame %i replaced by a hole', async (index) => {
    const bytes = Buffer.from(sealed);
    frameOf(bytes, index).fill(0);
    const { plain, error } = await readAsSealed(scratch, bytes);
    expect(error?.code).toBe('E_CONTAINER_SEAL');
    expect(plain).toHaveLength(0);
  });

  it('zero nonce and tag around other bytes', async () => {
    const bytes = Buffer.from(sealed);
    bytes.fill(0, frameOffset(LOG2, 0), frameOffset(LOG2, 0) + 12);
    bytes.fill(0, frameOffset(LOG2, 1) - 16, frameOffset(LOG2, 1));
    expect((await readAsSealed(scratch, bytes)).error?.code).toBe('E_CONTAINER_CHUNK');
  });

  it('head of another file of the same key', async () => {
    const bytes = Buffer.concat([sibling.subarray(0, 4096), sealed.subarray(4096)]);
    expect((await readAsSealed(scratch, bytes)).error?.code).toBe('E_CONTAINER_SEAL');
  });
});
