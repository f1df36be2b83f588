import { describe, expect, it } from '@jest/globals';
import { parsePasswd, peopleOf } from './passwd.js';

const TEXT = `root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
li:x:1000:1000:李,,,:/home/li:/bin/bash
# a comment
broken:x:abc:1:::
::1001:1001::/home/x:/bin/sh
short:x:1002:1002
`;

describe('parsePasswd', () => {
  it('takes-well-formed-lines-only', () => {
    expect(parsePasswd(TEXT).map(({ name }) => name)).toEqual(['root', 'nobody', 'li', 'short']);
  });

  it('reads-home-and-ids', () => {
    expect(parsePasswd(TEXT)[2]).toEqual({ uid: 1000, gid: 1000, name: 'li', home: '/home/li' });
  });

  it('gives-the-root-directory-for-a-missing-home', () => {
    expect(parsePasswd(TEXT)[3]?.home).toBe('/');
  });
});

describe('peopleOf', () => {
  it('leaves-out-system-accounts-and-nobody', () => {
    expect(peopleOf(parsePasswd(TEXT)).map(({ uid }) => uid)).toEqual([1000, 1002]);
  });
});
