import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nodeContainerCrypto as crypto } from '../../platform/container/node-crypto.js';
import {
  OTHER_KEY,
  TEST_KEY,
  anyFields,
  fieldsOf,
  sampleHead,
} from '../../../test/support/container-samples.js';
import { SLOT_FIELD, SLOT_OFFSETS } from './format.js';
import { parseHead, slotBytes } from './head.js';
import { newHead, newSecret, nextSlot, openSecret, type VerifiedHead } from './head-secret.js';
import { DEFAULT_PREAMBLE_TEXT } from './preamble.js';
import { encodeSlotFields, slotChecksum } from './slot.js';

/** Writes a slot's checksum anew, as somebody who changes a head without a key would. */
function withChange(head: VerifiedHead, change: (slot: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(head.bytes);
  const slot = slotBytes(bytes, head.slotInForce);
  change(slot);
  slot.set(slotChecksum(slot, crypto), SLOT_FIELD.checksum);
  return bytes;
}

function closed(head: VerifiedHead, plainSize = 5): VerifiedHead {
  const write = nextSlot(head, { state: 'sealed', plainSize }, newSecret(crypto), TEST_KEY, crypto);
  if (!write.ok) throw new Error(write.error.detail);
  return write.value.head;
}

describe('a new head', () => {
  it('begins with a line for people', () => {
    const text = Buffer.from(sampleHead().bytes.subarray(0, 512)).toString('utf8');
    expect(text.startsWith(`SEALWAY1 ${DEFAULT_PREAMBLE_TEXT}\n `)).toBe(true);
    expect(text.endsWith(' \n')).toBe(true);
  });

  it('has generation 1 in slot A, state open, and slot B all zero', () => {
    const head = parseHead(sampleHead().bytes, crypto);
    expect(head).toMatchObject({
      ok: true,
      value: { slotInForce: 'A', slotDamaged: false, fields: { generation: 1n, state: 'open' } },
    });
    expect(
      sampleHead()
        .bytes.subarray(SLOT_OFFSETS.B, 4096)
        .every((byte) => byte === 0),
    ).toBe(true);
  });

  it('reads back every field that was written', () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        const head = newHead(fields, newSecret(crypto), TEST_KEY, crypto);
        expect(parseHead(head.bytes, crypto)).toMatchObject({ ok: true, value: { fields } });
      }),
      { numRuns: 200 },
    );
  });

  it('encodes what it decodes to the same bytes', () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        const { bytes } = closed(newHead(fields, newSecret(crypto), TEST_KEY, crypto));
        const parsed = parseHead(bytes, crypto);
        const again = encodeSlotFields(parsed.ok ? parsed.value.fields : ({} as never));
        const clear = slotBytes(bytes, 'B').subarray(0, SLOT_FIELD.secretNonce);
        expect(again.subarray(0, SLOT_FIELD.secretNonce)).toEqual(new Uint8Array(clear));
      }),
      { numRuns: 200 },
    );
  });
});

describe('the slot in force', () => {
  it('is the newer of two complete ones', () => {
    expect(parseHead(closed(sampleHead()).bytes, crypto)).toMatchObject({
      ok: true,
      value: { slotInForce: 'B', fields: { generation: 2n, state: 'sealed', plainSize: 5 } },
    });
  });

  it('stays the old one wherever the write of the new one is cut', () => {
    const old = closed(sampleHead());
    const next = closed(old, 9);
    for (let cut = 0; cut < 1536; cut++) {
      const bytes = new Uint8Array(old.bytes);
      bytes.set(slotBytes(next.bytes, 'A').subarray(0, cut), SLOT_OFFSETS.A);
      const head = parseHead(bytes, crypto);
      expect(head.ok && head.value.fields.plainSize).toBe(5);
    }
  });

  it.each([
    { id: 'newer-damaged', offset: SLOT_OFFSETS.B + 40, force: 'A', size: 0 },
    { id: 'older-damaged', offset: SLOT_OFFSETS.A + 40, force: 'B', size: 5 },
  ])('$id is a finding', ({ offset, force, size }) => {
    const bytes = new Uint8Array(closed(sampleHead()).bytes);
    bytes[offset] = 0xff;
    expect(parseHead(bytes, crypto)).toMatchObject({
      ok: true,
      value: { slotInForce: force, slotDamaged: true, fields: { plainSize: size } },
    });
  });
});

describe('parseHead refuses', () => {
  const setByte =
    (at: number, value: number) =>
    (slot: Uint8Array): void => {
      slot[at] = value;
    };
  it.each([
    { id: 'major-version', code: 'E_CONTAINER_VERSION', change: setByte(4, 2) },
    { id: 'suite', code: 'E_CONTAINER_SUITE', change: setByte(8, 2) },
    { id: 'chunk-size-11', code: 'E_CONTAINER_HEADER', change: setByte(10, 11) },
    { id: 'chunk-size-21', code: 'E_CONTAINER_HEADER', change: setByte(10, 21) },
    { id: 'state-0', code: 'E_CONTAINER_HEADER', change: setByte(11, 0) },
    { id: 'state-3', code: 'E_CONTAINER_HEADER', change: setByte(11, 3) },
    { id: 'plain-size', code: 'E_CONTAINER_HEADER', change: setByte(30, 0x20) },
    { id: 'epoch-0', code: 'E_CONTAINER_HEADER', change: setByte(88, 0) },
    { id: 'label-empty', code: 'E_CONTAINER_HEADER', change: setByte(92, 0) },
    { id: 'label-65', code: 'E_CONTAINER_HEADER', change: setByte(92, 65) },
    { id: 'label-padding', code: 'E_CONTAINER_HEADER', change: setByte(159, 1) },
    { id: 'label-not-utf8', code: 'E_CONTAINER_HEADER', change: setByte(96, 0xff) },
    { id: 'label-control', code: 'E_CONTAINER_HEADER', change: setByte(96, 0x0a) },
    { id: 'area-97', code: 'E_CONTAINER_HEADER', change: setByte(93, 97) },
    { id: 'area-delete', code: 'E_CONTAINER_HEADER', change: setByte(160, 0x7f) },
    { id: 'extension-length', code: 'E_CONTAINER_HEADER', change: setByte(95, 0x04) },
    { id: 'extension-cut', code: 'E_CONTAINER_HEADER', change: setByte(94, 3) },
  ])('$id', ({ code, change }) => {
    const bytes = withChange(sampleHead(), change);
    expect(parseHead(bytes, crypto)).toMatchObject({ ok: false, error: { code } });
  });

  it('accepts any minor version', () => {
    expect(parseHead(withChange(sampleHead(), setByte(6, 9)), crypto).ok).toBe(true);
  });

  it.each([
    { id: 'nothing', bytes: 0, code: 'E_CONTAINER_MAGIC' },
    { id: 'seven', bytes: 7, code: 'E_CONTAINER_MAGIC' },
    { id: 'magic-only', bytes: 8, code: 'E_CONTAINER_SHORT' },
    { id: 'head-less-one', bytes: 4095, code: 'E_CONTAINER_SHORT' },
  ])('$id', ({ bytes, code }) => {
    const start = sampleHead().bytes.subarray(0, bytes);
    expect(parseHead(start, crypto)).toMatchObject({ ok: false, error: { code } });
  });

  it('a head without a complete slot', () => {
    const bytes = new Uint8Array(sampleHead().bytes);
    bytes.fill(0, SLOT_OFFSETS.A, SLOT_OFFSETS.B);
    expect(parseHead(bytes, crypto)).toMatchObject({ error: { code: 'E_CONTAINER_HEADER' } });
  });

  it('nothing by throwing, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1280, maxLength: 1280 }), (noise) => {
        const bytes = withChange(sampleHead(), (slot) => {
          slot.set(noise.subarray(10), 10);
        });
        expect(typeof parseHead(bytes, crypto).ok).toBe('boolean');
      }),
    );
  });
});

describe('openSecret', () => {
  it('returns what was put in', () => {
    const secret = newSecret(crypto);
    const head = newHead(fieldsOf(), secret, TEST_KEY, crypto);
    const opened = openSecret(head, TEST_KEY, crypto);
    expect(opened.ok && new Uint8Array(opened.value.secret.fileKey)).toEqual(
      new Uint8Array(secret.fileKey),
    );
  });

  it('refuses another key', () => {
    expect(openSecret(sampleHead(), OTHER_KEY, crypto)).toMatchObject({
      error: { code: 'E_CONTAINER_KEY' },
    });
  });

  it('refuses a change of any byte which the checksum has been made to fit', () => {
    const head = closed(sampleHead());
    fc.assert(
      fc.property(fc.nat(4095), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = new Uint8Array(head.bytes);
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        const slot = slotBytes(bytes, 'B');
        slot.set(slotChecksum(slot, crypto), SLOT_FIELD.checksum);
        const parsed = parseHead(bytes, crypto);
        const opened = parsed.ok ? openSecret(parsed.value, TEST_KEY, crypto) : parsed;
        const inOtherSlot = at >= SLOT_OFFSETS.A && at < SLOT_OFFSETS.B;
        const inChecksum = at >= SLOT_OFFSETS.B + SLOT_FIELD.checksum && at < 3584;
        // Without its magic the newer slot is no slot: the older one counts, and the head says so.
        const inSlotMagic = at >= SLOT_OFFSETS.B && at < SLOT_OFFSETS.B + 4;
        expect(opened.ok).toBe(inOtherSlot || inChecksum || inSlotMagic);
        if (inSlotMagic) expect(parsed).toMatchObject({ value: { slotDamaged: true } });
      }),
      { numRuns: 500 },
    );
  });
});

describe('nextSlot', () => {
  it('relabels and re-keys without touching file key or frames', () => {
    const secret = newSecret(crypto);
    const head = newHead(fieldsOf({ flags: 0x80000001 }), secret, TEST_KEY, crypto);
    const change = { label: 'restricted', epoch: 2 };
    const write = nextSlot(head, change, secret, OTHER_KEY, crypto);
    const bytes = write.ok ? write.value.head.bytes : new Uint8Array(0);
    const parsed = parseHead(bytes, crypto);
    expect(parsed).toMatchObject({
      ok: true,
      value: { fields: { ...change, flags: 0x80000001, generation: 2n } },
    });
    const opened = parsed.ok ? openSecret(parsed.value, OTHER_KEY, crypto) : parsed;
    expect(opened).toMatchObject({ ok: true, value: { secret: { fileKey: secret.fileKey } } });
  });

  it('stops after 2^32 slots', () => {
    const head = sampleHead();
    const old = { ...head, fields: { ...head.fields, generation: 2n ** 32n } };
    expect(nextSlot(old, {}, newSecret(crypto), TEST_KEY, crypto)).toMatchObject({
      error: { code: 'E_CONTAINER_HEADER' },
    });
  });

  it.each([
    { id: 'empty-label', change: { label: '' } },
    { id: 'long-area', change: { area: 'é'.repeat(49) } },
    { id: 'lone-surrogate', change: { label: '\ud800' } },
    { id: 'newline', change: { area: 'a\nb' } },
  ])('throws for $id', ({ change }) => {
    const secret = newSecret(crypto);
    expect(() => nextSlot(sampleHead(), change, secret, TEST_KEY, crypto)).toThrow(RangeError);
  });
});
