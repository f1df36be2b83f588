/** The search that the other LibreOffice tests rely on finds what is planted, in every form. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { zipSync } from 'fflate';
import { makeDocx } from '#src/cli/demo/office-open-xml.js';
import { makePdf } from '#src/cli/demo/pdf.js';
import { newMarker } from '../support/office-samples.js';
import { describeWhere, missingRoot } from '../support/requirements.js';
import { DiskSearch, type SearchResult } from '../support/search-disk.js';

describeWhere([missingRoot()], 'the search for plaintext', () => {
  const marker = newMarker();
  const docx = makeDocx(['Letter', marker]);
  const planted: Readonly<Record<string, Uint8Array>> = {
    'plain.txt': Buffer.from(`before ${marker} after`),
    'wide-little.bin': Buffer.from(`x${marker}`, 'utf16le'),
    'wide-big.bin': Buffer.from(marker, 'utf16le').swap16(),
    'letter.docx': docx,
    'nested.zip': zipSync({ 'inner/letter.docx': docx }),
    'torn.tmp': docx.subarray(0, docx.length - 60),
    'packed.gz': gzipSync(marker),
    'contract.pdf': makePdf([marker]),
    'old-date.txt': Buffer.from(marker),
  };
  const places = [
    mkdtempSync(join(tmpdir(), 'sealway-planted-')),
    mkdtempSync('/dev/shm/planted-'),
  ];
  let search: DiskSearch;
  let result: SearchResult;

  beforeAll(async () => {
    search = new DiskSearch();
    for (const place of places) {
      for (const [name, bytes] of Object.entries(planted)) writeFileSync(join(place, name), bytes);
      execFileSync('touch', ['-d', '2001-01-01', join(place, 'old-date.txt')]);
    }
    result = await search.find([marker]);
  }, 120_000);

  afterAll(() => {
    for (const place of places) rmSync(place, { recursive: true, force: true });
    search.dispose();
  });

  it.each(Object.keys(planted))('finds %s on disk and in memory', (name) => {
    const found = places.filter((place) =>
      result.findings.some(({ path }) => path === join(place, name)),
    );
    expect(found).toEqual(places);
  });

  it('finds-nothing-else', () => {
    const elsewhere = result.findings.filter(
      ({ path }) => !places.some((place) => path.startsWith(`${place}/`)),
    );
    expect(elsewhere).toEqual([]);
  });
});
