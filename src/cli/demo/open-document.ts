/** Smallest valid .ods file. Layer: cli. Source: OpenDocument 1.3, parts 2 and 3. */
import { strToU8, zipSync } from 'fflate';
import { escapeXml } from './office-open-xml.js';

const MIME = 'application/vnd.oasis.opendocument.spreadsheet';
const NAMESPACES =
  'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" ' +
  'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" ' +
  'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"';

/** A spreadsheet of one table. */
export function makeOds(name: string, rows: readonly (readonly (string | number)[])[]): Uint8Array {
  const body = rows.map((row) => `<table:table-row>${row.map(odsCell).join('')}</table:table-row>`);
  const content =
    `<?xml version="1.0" encoding="UTF-8"?><office:document-content ${NAMESPACES} office:version="1.3">` +
    `<office:body><office:spreadsheet><table:table table:name="${escapeXml(name)}">${body.join('')}` +
    `</table:table></office:spreadsheet></office:body></office:document-content>`;
  const manifest =
    `<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">` +
    `<manifest:file-entry manifest:full-path="/" manifest:media-type="${MIME}"/>` +
    `<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>`;
  return zipSync(
    {
      // The type must be the first entry and not compressed, so that file(1) knows it.
      mimetype: [strToU8(MIME), { level: 0 }],
      'content.xml': strToU8(content),
      'META-INF/manifest.xml': strToU8(manifest),
    },
    { mtime: new Date('2026-01-01T00:00:00Z') },
  );
}

function odsCell(cell: string | number): string {
  const text = `<text:p>${escapeXml(String(cell))}</text:p>`;
  if (typeof cell === 'string') {
    return `<table:table-cell office:value-type="string">${text}</table:table-cell>`;
  }
  return `<table:table-cell office:value-type="float" office:value="${String(cell)}">${text}</table:table-cell>`;
}
