import { describe, expect, it } from '@jest/globals';
import { separateCommand } from './arguments.js';

describe('separateCommand', () => {
  it.each([
    { id: 'plain-command', argv: ['run', 'cat', '-n', 'x'], want: ['run', '--', 'cat', '-n', 'x'] },
    { id: 'already-separated', argv: ['run', '--', 'cat', '-n'], want: ['run', '--', 'cat', '-n'] },
    {
      id: 'our-options-first',
      argv: ['run', '--json', '--state', '/s', 'cat', '--json'],
      want: ['run', '--json', '--state', '/s', '--', 'cat', '--json'],
    },
    {
      id: 'global-options-before',
      argv: ['--state', 'run', 'run', 'ls'],
      want: ['--state', 'run', 'run', '--', 'ls'],
    },
    { id: 'no-command', argv: ['run'], want: ['run'] },
    { id: 'other-command', argv: ['seal', 'run'], want: ['seal', 'run'] },
    { id: 'nothing', argv: [], want: [] },
  ])('$id', ({ argv, want }) => {
    expect(separateCommand(argv)).toEqual(want);
  });
});
