import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { PolicySet } from '../../core/policy/policy-set.js';
import { loadSet } from '../policy/load-set.js';
import { applicationFor } from './application-for.js';

let set: PolicySet;

beforeAll(async () => {
  const directory = join(import.meta.dirname, '../../../policies/baseline');
  const loaded = await loadSet(directory, { allowLab: false });
  if (!loaded.ok) throw new Error(loaded.error.detail);
  set = loaded.value.set;
});

describe('applicationFor', () => {
  it.each(['/a/b.docx', '/a/B.XLSX', '/a/运单.ods'])('opens %s with LibreOffice', (file) => {
    const plan = applicationFor(set, file);
    expect(plan).toMatchObject({ ok: true, value: { application: 'libreoffice', file } });
    expect(plan.ok && plan.value.argv.includes(file)).toBe(true);
  });

  it.each([
    { id: 'unknown-type', file: '/a/b.xyz' },
    { id: 'no-extension', file: '/a/README' },
    { id: 'a-dot-file', file: '/a/.docx' },
  ])('names $id', ({ file }) => {
    expect(applicationFor(set, file)).toMatchObject({
      ok: false,
      error: { code: 'E_NO_APPLICATION' },
    });
  });
});
