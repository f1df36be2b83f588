import { writeFileSync, chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withTempDirectory } from '../../../test/support/temp-directory.js';
import { TrailStore } from './trail-store.js';

const DEVICE = 'ab'.repeat(16);

describe('TrailStore.open', () => {
  it.each([{ id: 'a-new-trail' }, { id: 'a-trail-that-was-open-to-all', mode: 0o666 }])(
    'keeps $id from other users',
    async ({ mode }) => {
      await withTempDirectory((directory) => {
        const path = join(directory, 'trail.db');
        if (mode !== undefined) {
          writeFileSync(path, '');
          chmodSync(path, mode);
        }
        const store = TrailStore.open(path, DEVICE);
        expect(statSync(path).mode & 0o777).toBe(0o600);
        expect(statSync(`${path}-wal`).mode & 0o777).toBe(0o600);
        if (store.ok) store.value.close();
        return Promise.resolve();
      });
    },
  );

  it('names-a-directory-that-is-not-there', () => {
    const opened = TrailStore.open('/nowhere/at/all/trail.db', DEVICE);
    expect(opened).toMatchObject({ ok: false, error: { code: 'E_NOT_FOUND' } });
  });
});
