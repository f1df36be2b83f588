import { describe, expect, it } from '@jest/globals';
import { unzipSync } from 'fflate';
import { demoOfficeFiles } from './office-files.js';

const EXPECTED_START: Readonly<Record<string, string>> = {
  xlsx: 'PK',
  docx: 'PK',
  ods: 'PK',
  pdf: '%PDF',
};

describe('demoOfficeFiles', () => {
  it.each(demoOfficeFiles())('$name is a file of its kind', ({ name, bytes }) => {
    const start = EXPECTED_START[name.split('.').at(-1) ?? ''] ?? 'no such kind';
    expect(Buffer.from(bytes.subarray(0, start.length)).toString('latin1')).toBe(start);
  });

  it('is-the-same-on-every-call', () => {
    const [first, second] = [demoOfficeFiles(), demoOfficeFiles()];
    expect(first.map(({ bytes }) => Buffer.from(bytes).toString('hex'))).toEqual(
      second.map(({ bytes }) => Buffer.from(bytes).toString('hex')),
    );
  });

  it('holds-a-hundred-and-twenty-waybills', () => {
    const workbook = demoOfficeFiles().find(({ name }) => name.endsWith('.xlsx'));
    const sheet = unzipSync(workbook?.bytes ?? new Uint8Array())['xl/worksheets/sheet1.xml'];
    expect(
      Buffer.from(sheet ?? [])
        .toString('utf8')
        .match(/<row /g),
    ).toHaveLength(121);
  });
});
