/** Office files of all kinds for tests, each with a marker that nothing else on the machine holds. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDocx, makeXlsx } from '#src/cli/demo/office-open-xml.js';
import { makeOds } from '#src/cli/demo/open-document.js';
import { makePdf } from '#src/cli/demo/pdf.js';

export interface Sample {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

const KINDS: readonly ((marker: string, index: number) => [string, Uint8Array])[] = [
  (marker, i) => [
    'xlsx',
    makeXlsx('运单', [
      ['waybill', 'note'],
      [`SW${String(i)}`, marker],
    ]),
  ],
  (marker, i) => ['docx', makeDocx([`Letter ${String(i)}`, marker, '尊敬的客户'])],
  (marker, i) => [
    'ods',
    makeOds('Prices', [
      ['zone', i],
      [marker, 1],
    ]),
  ],
  (marker, i) => ['pdf', makePdf([`Contract ${String(i)}`, marker])],
  (marker, i) => ['csv', Buffer.from(`waybill,name\n${String(i)},${marker}\n`)],
  (marker, i) => ['txt', Buffer.from(`${marker} ${'line of text\n'.repeat(i * 97)}`)],
  // Larger than one chunk, of bytes that do not compress.
  (marker, i) => ['bin', Buffer.concat([Buffer.from(marker), randomBytes(16_384 * (i % 5) + i)])],
  (marker) => ['rtf', Buffer.from(`{\\rtf1\\ansi ${marker}}`)],
];

/** Writes `count` files below `directory`, some in folders, some with Chinese names. */
export function writeOfficeSamples(directory: string, count: number, marker: string): Sample[] {
  return Array.from({ length: count }, (_, index) => {
    const make = KINDS[index % KINDS.length];
    if (make === undefined) throw new Error('no kinds of office files');
    const [extension, bytes] = make(marker, index);
    const folder = index % 3 === 0 ? `部门${String(index % 4)}` : '.';
    const path = join(directory, folder, `文件 ${String(index)}.${extension}`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    return { path, bytes, sha256: sha256(bytes) };
  });
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A string that occurs nowhere by chance. */
export function newMarker(): string {
  return `MARKER-${randomBytes(12).toString('hex')}`;
}
