/**
 * Sealed files for tests: keys that are no secret, heads and slots with any fields.
 */
import fc from 'fast-check';
import { newHead, newSecret, type NewFileFields } from '#src/core/container/head-secret.js';
import { MAX_EXTENSION_BYTES } from '#src/core/container/format.js';
import type { VerifiedHead } from '#src/core/container/head-secret.js';
import { fail, succeed } from '#src/core/errors/result.js';
import type { KeyLookup } from '#src/platform/container/key-lookup.js';
import { nodeContainerCrypto as crypto } from '#src/platform/container/node-crypto.js';

export const TEST_KEY = Uint8Array.from({ length: 32 }, (_, i) => i);
export const OTHER_KEY = new Uint8Array(32).fill(0xee);
export const TEST_DEVICE = new Uint8Array(16).fill(0xd0);

/** A lookup that knows one key, for every name; each answer is a copy. */
export function keyLookup(key: Uint8Array = TEST_KEY): KeyLookup {
  return () => succeed(new Uint8Array(key));
}

/** A lookup that knows nothing. */
export const noKeys: KeyLookup = ({ label }) => fail('E_KEY_UNKNOWN', label);

export function fieldsOf(change: Partial<NewFileFields> = {}): NewFileFields {
  return {
    chunkSizeLog2: 12,
    flags: 0,
    fileId: new Uint8Array(16).fill(7),
    parentFileId: new Uint8Array(16),
    deviceId: TEST_DEVICE,
    createdMs: 1_700_000_000_000n,
    epoch: 1,
    label: 'internal',
    area: 'dispatch',
    extensions: [],
    ...change,
  };
}

export function sampleHead(change: Partial<NewFileFields> = {}): VerifiedHead {
  return newHead(fieldsOf(change), newSecret(crypto), TEST_KEY, crypto);
}

const id = fc.uint8Array({ minLength: 16, maxLength: 16 });
const name = (room: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter((text) => !/\p{Cc}/u.test(text) && Buffer.byteLength(text) <= room);
const extension = fc.record({
  type: fc.integer({ min: 0, max: 0xffff }),
  value: fc.uint8Array({ maxLength: 120 }),
});

/** Every field that the maker of a file chooses. */
export const anyFields: fc.Arbitrary<NewFileFields> = fc.record({
  chunkSizeLog2: fc.integer({ min: 12, max: 20 }),
  flags: fc.integer({ min: 0, max: 0xffffffff }),
  fileId: id,
  parentFileId: id,
  deviceId: id,
  createdMs: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  epoch: fc.integer({ min: 1, max: 0xffffffff }),
  label: name(64),
  area: name(96),
  extensions: fc
    .uniqueArray(extension, { selector: ({ type }) => type, maxLength: 8 })
    .filter((all) => all.reduce((n, { value }) => n + 4 + value.length, 0) <= MAX_EXTENSION_BYTES),
});
