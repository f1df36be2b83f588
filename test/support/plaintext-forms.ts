/**
 * The forms in which a marker string can lie in a file, also inside what office files are made of.
 *
 * Layer: test support. Markers are ASCII: a word of a document that nothing else holds.
 */
import { constants, gunzipSync, inflateRawSync } from 'node:zlib';
import { unzipSync } from 'fflate';
import { runProgram } from './run-program.js';

const DEPTH = 3;

/** How each marker is found in `bytes`; empty when none is. */
export async function formsOf(
  bytes: Buffer,
  markers: readonly string[],
  depth = DEPTH,
): Promise<string[]> {
  const found = markers.flatMap((marker) => plainForms(bytes, marker));
  if (depth === 0) return found;
  for (const { name, content } of unpack(bytes)) {
    const inner = await formsOf(content, markers, depth - 1);
    found.push(...inner.map((how) => `${name}: ${how}`));
  }
  if (startsWith(bytes, '%PDF')) found.push(...(await formsInPdf(bytes, markers)));
  return found;
}

function plainForms(bytes: Buffer, marker: string): string[] {
  const wide = Buffer.from(marker, 'utf16le');
  // Without its last byte, the same pattern fits the other byte order one byte further on.
  const either = wide.subarray(0, -1);
  return [
    ...(bytes.includes(marker, 0, 'latin1') ? ['bytes'] : []),
    ...(bytes.includes(either) ? ['utf-16'] : []),
  ];
}

function unpack(bytes: Buffer): { name: string; content: Buffer }[] {
  try {
    if (startsWith(bytes, '\x1f\x8b')) return [{ name: 'gzip', content: gunzipSync(bytes) }];
    return zipEntries(bytes);
  } catch {
    // Not what it began like, or cut off: what can be had of a torn container is looked at too.
    return tornEntries(bytes);
  }
}

function zipEntries(bytes: Buffer): { name: string; content: Buffer }[] {
  if (!startsWith(bytes, 'PK\x03\x04')) return [];
  return Object.entries(unzipSync(bytes)).map(([name, content]) => ({
    name: `zip ${name}`,
    content: Buffer.from(content),
  }));
}

/** Entries of a ZIP container without its directory, as a save cut in half leaves it. */
function tornEntries(bytes: Buffer): { name: string; content: Buffer }[] {
  const found: { name: string; content: Buffer }[] = [];
  for (let at = bytes.indexOf('PK\x03\x04'); at !== -1; at = bytes.indexOf('PK\x03\x04', at + 4)) {
    if (at + 30 > bytes.length) break;
    const start = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
    found.push({ name: `torn zip at ${String(at)}`, content: inflateWhatIsThere(bytes, start) });
  }
  return found;
}

function inflateWhatIsThere(bytes: Buffer, start: number): Buffer {
  const stream = bytes.subarray(start);
  try {
    return inflateRawSync(stream, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0);
  }
}

/** PDF holds glyph numbers in compressed streams; poppler knows how to make text of them. */
async function formsInPdf(bytes: Buffer, markers: readonly string[]): Promise<string[]> {
  const text = await runProgram('pdftotext', ['-', '-'], { input: bytes });
  return markers
    .flatMap((marker) => plainForms(Buffer.from(text.stdout), marker))
    .map((how) => `pdf: ${how}`);
}

function startsWith(bytes: Buffer, magic: string): boolean {
  return bytes.subarray(0, magic.length).toString('latin1') === magic;
}
