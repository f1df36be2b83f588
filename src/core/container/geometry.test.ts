import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HEAD_BYTES } from './format.js';
import {
  chunkSize,
  diskSizeOf,
  frameCount,
  frameOffset,
  frameSize,
  plainSizeOf,
} from './geometry.js';

const LOG2 = fc.integer({ min: 12, max: 20 });

describe('worked sizes of the specification', () => {
  it.each([
    { id: 'empty', plain: 0, disk: 4096 },
    { id: 'one-byte', plain: 1, disk: 4125 },
    { id: 'chunk-less-one', plain: 16383, disk: 20507 },
    { id: 'one-chunk', plain: 16384, disk: 20508 },
    { id: 'chunk-and-one', plain: 16385, disk: 20537 },
    { id: 'two-chunks', plain: 32768, disk: 36920 },
    { id: 'a-million', plain: 1000000, disk: 1005832 },
  ])('$id', ({ plain, disk }) => {
    expect(diskSizeOf(14, plain)).toBe(disk);
    expect(plainSizeOf(14, disk)).toEqual({ ok: true, value: plain });
  });
});

describe('plainSizeOf', () => {
  it.each([
    { id: 'nothing', disk: 0, code: 'E_CONTAINER_SHORT' },
    { id: 'head-less-one', disk: HEAD_BYTES - 1, code: 'E_CONTAINER_SHORT' },
    { id: 'one-byte-of-nonce', disk: HEAD_BYTES + 1, code: 'E_CONTAINER_TRUNCATED' },
    { id: 'nonce-and-tag-only', disk: HEAD_BYTES + 28, code: 'E_CONTAINER_TRUNCATED' },
    { id: 'second-frame-tag-only', disk: frameOffset(14, 1) + 28, code: 'E_CONTAINER_TRUNCATED' },
  ])('refuses $id', ({ disk, code }) => {
    expect(plainSizeOf(14, disk)).toMatchObject({ ok: false, error: { code } });
  });

  it('inverts diskSizeOf', () => {
    fc.assert(
      fc.property(LOG2, fc.maxSafeNat(), (log2, n) => {
        const plain = n % 2 ** 50;
        expect(plainSizeOf(log2, diskSizeOf(log2, plain))).toEqual({ ok: true, value: plain });
      }),
    );
  });

  it('gives every disk size at most one plain size', () => {
    fc.assert(
      fc.property(LOG2, fc.nat(2 ** 24), (log2, disk) => {
        const plain = plainSizeOf(log2, disk);
        expect(plain.ok ? diskSizeOf(log2, plain.value) : disk).toBe(disk);
      }),
    );
  });

  it.each([-1, 1.5, NaN, 2 ** 53])('throws for %p, which is no size', (size) => {
    expect(() => plainSizeOf(14, size)).toThrow(RangeError);
  });
});

describe('frames', () => {
  it('lie one behind the other', () => {
    fc.assert(
      fc.property(LOG2, fc.nat(2 ** 20), (log2, index) => {
        const next = frameOffset(log2, index) + frameSize(log2);
        expect(frameOffset(log2, index + 1)).toBe(next);
      }),
    );
  });

  it.each([
    { id: 'none', plain: 0, count: 0 },
    { id: 'one', plain: 1, count: 1 },
    { id: 'full', plain: chunkSize(12), count: 1 },
    { id: 'more', plain: chunkSize(12) + 1, count: 2 },
  ])('are counted: $id', ({ plain, count }) => {
    expect(frameCount(12, plain)).toBe(count);
  });
});
