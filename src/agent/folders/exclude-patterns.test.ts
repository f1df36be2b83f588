import { describe, expect, it } from '@jest/globals';
import { excludeByPatterns } from './exclude-patterns.js';

describe('excludeByPatterns', () => {
  const excluded = excludeByPatterns(['.~lock.*#', '~$*', '*.tmp', 'cache/**']);
  it.each([
    { id: 'libreoffice-lock', path: 'a/.~lock.b.ods#', want: true },
    { id: 'word-owner-file', path: '~$letter.docx', want: true },
    { id: 'temp-anywhere', path: 'x/y/z.tmp', want: true },
    { id: 'whole-path', path: 'cache/deep/file', want: true },
    { id: 'not-elsewhere', path: 'x/cache/file', want: false },
    { id: 'document', path: 'letter.docx', want: false },
    { id: 'tmp-in-the-middle', path: 'a.tmp.docx', want: false },
  ])('$id', ({ path, want }) => {
    expect(excluded(path)).toBe(want);
  });

  it('excludes nothing without patterns', () => {
    expect(excludeByPatterns([])('a')).toBe(false);
  });
});
