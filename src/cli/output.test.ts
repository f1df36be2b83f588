import { describe, expect, it } from '@jest/globals';
import { complaintOf, formatBytes, formatTable } from './output.js';

describe('formatBytes', () => {
  it.each([
    { id: 'zero', bytes: 0, want: '0 B' },
    { id: 'below-a-kibibyte', bytes: 1023, want: '1023 B' },
    { id: 'kibibytes', bytes: 1536, want: '1.5 KiB' },
    { id: 'largest-unit', bytes: 1024 ** 5, want: '1024.0 TiB' },
  ])('$id', ({ bytes, want }) => {
    expect(formatBytes(bytes)).toBe(want);
  });
});

describe('formatTable', () => {
  it('counts-chinese-characters-as-two-columns', () => {
    expect(
      formatTable([
        ['运单', 'x'],
        ['abcdef', 'y'],
      ]),
    ).toEqual(['运单    x', 'abcdef  y']);
  });

  it('leaves-no-blanks-at-line-ends', () => {
    expect(
      formatTable([
        ['a', ''],
        ['bb', 'c'],
      ]),
    ).toEqual(['a', 'bb  c']);
  });
});

describe('complaintOf', () => {
  it('takes-the-message-from-the-catalogue', () => {
    expect(complaintOf('E_DISK_FULL', 'x').message).toBe('The disk is full.');
  });

  it('survives-a-code-of-a-newer-agent', () => {
    expect(complaintOf('E_FROM_THE_FUTURE', 'x').message).not.toBe('');
  });

  it('is-not-fooled-by-names-of-object-members', () => {
    expect(complaintOf('constructor', 'x').message).toBe('The request failed.');
  });
});
