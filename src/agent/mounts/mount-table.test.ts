import { describe, expect, it } from '@jest/globals';
import { isSealfsMount, parseMountInfo } from './mount-table.js';

const ROOT = '21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw';
const SEALFS = '99 21 0:55 / /srv/a\\040b rw,nosuid - fuse.sealfs sealfs rw,user_id=0';
const OVER = '100 99 0:56 / /srv/a\\040b rw - tmpfs tmpfs rw';

describe('parseMountInfo', () => {
  it('resolves-escapes-and-skips-optional-fields', () => {
    expect(parseMountInfo(`${ROOT}\n${SEALFS}\n`)).toEqual([
      { mountPoint: '/', fileSystem: 'ext4', source: '/dev/vda' },
      { mountPoint: '/srv/a b', fileSystem: 'fuse.sealfs', source: 'sealfs' },
    ]);
  });

  it.each([
    { id: 'empty', text: '' },
    { id: 'no-separator', text: '1 2 3:4 / /x rw' },
    { id: 'cut-line', text: '1 2 - ext4' },
  ])('$id gives nothing', ({ text }) => {
    expect(parseMountInfo(text)).toEqual([]);
  });

  it('reads-utf-8-names-as-they-are', () => {
    expect(parseMountInfo('1 2 0:1 / /srv/运单 rw - ext4 /dev/x rw')[0]?.mountPoint).toBe(
      '/srv/运单',
    );
  });
});

describe('isSealfsMount', () => {
  it('looks-at-the-topmost-mount', () => {
    expect(isSealfsMount('/srv/a b', parseMountInfo(`${ROOT}\n${SEALFS}`))).toBe(true);
    expect(isSealfsMount('/srv/a b', parseMountInfo(`${ROOT}\n${SEALFS}\n${OVER}`))).toBe(false);
  });

  it('is-not-fooled-by-a-longer-path', () => {
    expect(isSealfsMount('/srv/a', parseMountInfo(SEALFS))).toBe(false);
  });
});
