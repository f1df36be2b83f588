import { describe, expect, it } from '@jest/globals';
import { SlidingWindow, WINDOW_MS } from './sliding-window.js';

const NOW = 1_790_000_000_000;

describe('SlidingWindow', () => {
  it('counts-the-act-that-is-asked-about', () => {
    expect(new SlidingWindow().withOneMore(1, 'export', 10, NOW)).toEqual({ count: 1, bytes: 10 });
  });

  it('adds-up-what-took-place-within-the-window', () => {
    const window = new SlidingWindow();
    window.add(1, 'export', 5, NOW);
    window.add(1, 'export', 7, NOW + 1);
    expect(window.withOneMore(1, 'export', 1, NOW + 2)).toEqual({ count: 3, bytes: 13 });
  });

  it('forgets-what-is-older-than-the-window', () => {
    const window = new SlidingWindow();
    window.add(1, 'export', 5, NOW);
    expect(window.withOneMore(1, 'export', 1, NOW + WINDOW_MS)).toEqual({ count: 1, bytes: 1 });
  });

  it.each([
    { id: 'other-people', uid: 2, operation: 'export' },
    { id: 'other-operations', uid: 1, operation: 'print' },
  ])('keeps-$id-apart', ({ uid, operation }) => {
    const window = new SlidingWindow();
    window.add(1, 'export', 5, NOW);
    expect(window.withOneMore(uid, operation, 1, NOW)).toEqual({ count: 1, bytes: 1 });
  });
});
