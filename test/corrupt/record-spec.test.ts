/** The worked example of docs/spec/record-v1.md, taken from the page itself. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { TrailRecordSchema } from '#src/contracts/record.js';
import { chainHash, GENESIS_HASH } from '#src/core/records/chain.js';
import { encodeRecord } from '#src/core/records/encode.js';
import { GAP_CAUSES, OPERATIONS, RECORD_KINDS, type TrailRecord } from '#src/core/records/record.js';
import { sha256Hex } from '#src/platform/trail-crypto.js';

const page = readFileSync(new URL('../../docs/spec/record-v1.md', import.meta.url), 'utf8');

function block(name: string): string {
  const found = new RegExp(`\`\`\`${name}\\n(.*)\\n\`\`\``).exec(page)?.[1];
  if (found === undefined) throw new Error(`the page has no block "${name}"`);
  return found;
}

describe('the worked example', () => {
  it('is a record, in canonical bytes', () => {
    const record = TrailRecordSchema.parse(JSON.parse(block('json record')));
    expect(encodeRecord(record as TrailRecord)).toBe(block('json record'));
  });

  it('has the hash that the page gives', () => {
    expect(chainHash(sha256Hex, GENESIS_HASH, block('json record'))).toBe(block('text hash'));
  });

  it.each([...RECORD_KINDS, ...OPERATIONS, ...GAP_CAUSES])('the page names %s', (name) => {
    expect(page).toContain(`\`${name}\``);
  });
});
