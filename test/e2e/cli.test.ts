/** Each command: exit status 0, 1 or 2, text and JSON, options before and after, one line on failure. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { makeStateDirectory } from '../support/agent-under-test.js';
import { expectOneLine } from '../support/one-line.js';
import { firstLineOf, ProtectedFolder } from '../support/protected-folder.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { runProgram, type Ran } from '../support/run-program.js';

const CLI = new URL('../../dist/cli/main.js', import.meta.url).pathname;

describeWhere([missingRoot(), missingFuse()], 'the sealway command', () => {
  let folder: ProtectedFolder;
  let letter: string;

  beforeAll(async () => {
    folder = await ProtectedFolder.start({ 'letter.txt': 'dear customer MARKER\n' });
    letter = folder.path('letter.txt');
    await folder.inside(['cat', letter]);
  }, 60_000);
  afterAll(async () => {
    await folder.dispose();
  });

  const cli = (...args: string[]): Promise<Ran> => runProgram(process.execPath, [CLI, ...args]);
  const withState = (...args: string[]): Promise<Ran> =>
    cli('--state', folder.agent.state, ...args);

  it.each([
    { id: 'status', args: ['status'], text: /policy +lab/ },
    { id: 'folders', args: ['folders'], text: /mounted +internal +main/ },
    { id: 'sessions', args: ['sessions'], text: /No sealed session is running/ },
    { id: 'doctor', args: ['doctor'], text: /enforced +sealed sessions/ },
    { id: 'info', args: ['info', 'LETTER'], text: /label +internal/ },
    { id: 'audit tail', args: ['audit', 'tail'], text: /agent-start/ },
    { id: 'audit verify', args: ['audit', 'verify'], text: /chain +whole/ },
    { id: 'policy check', args: ['policy', 'check', 'baseline'], text: /tests pass/ },
    { id: 'policy test', args: ['policy', 'test', 'baseline'], text: /^pass {2}/ },
    {
      id: 'policy explain',
      args: ['policy', 'explain', 'baseline', '--operation', 'print', '--user', 'somebody'],
      text: /den/i,
    },
    { id: 'version', args: ['--version'], text: /^\d+\.\d+\.\d+$/m },
    { id: 'help', args: ['--help'], text: /Usage: sealway/ },
  ])('$id: text and JSON, status 0, nothing on standard error', async ({ id, args, text }) => {
    const words = args.map((word) => word.replace('LETTER', letter));
    const plain = await withState(...words);
    expect([plain.status, plain.stderr]).toEqual([0, '']);
    expect(plain.stdout).toMatch(text);
    if (id === 'version' || id === 'help') return;
    const before = await withState('--json', ...words);
    const after = await withState(...words, '--json');
    for (const ran of [before, after]) {
      expect([ran.status, ran.stderr]).toEqual([0, '']);
      const values = id === 'audit tail' ? ran.stdout.trim().split('\n') : [ran.stdout];
      for (const value of values) expect(typeof JSON.parse(value)).toBe('object');
    }
  });

  it.each([
    { id: 'no command', args: [] },
    { id: 'an unknown command', args: ['frobnicate'] },
    { id: 'an unknown option', args: ['status', '--frob'] },
    { id: 'too many words', args: ['status', 'now'] },
    { id: 'a missing argument', args: ['info'] },
    { id: 'a missing option', args: ['unseal', '/etc/passwd'] },
    { id: 'an option without its value', args: ['status', '--state'] },
    { id: 'a malformed number', args: ['audit', 'tail', '-n', 'many'] },
    { id: 'a negative number', args: ['audit', 'tail', '-n', '0'] },
    { id: 'run without a command', args: ['run'] },
    { id: 'run without a command after --', args: ['run', '--'] },
    {
      id: 'an unknown operation',
      args: ['policy', 'explain', 'lab', '--operation', 'fly', '--user', 'x'],
    },
    {
      id: 'an hour that is none',
      args: ['policy', 'explain', 'lab', '--operation', 'run', '--user', 'x', '--hour', '25'],
    },
  ])('$id: status 2 and a hint, no stack', async ({ args }) => {
    const ran = await withState(...args);
    expect(ran.status).toBe(2);
    expect(ran.stderr).not.toBe('');
    expect(ran.stderr).not.toMatch(/\bat .*:\d+:\d+/);
  });

  it.each([
    { id: 'status', args: ['status'] },
    { id: 'folders', args: ['folders'] },
    { id: 'sessions', args: ['sessions'] },
    { id: 'doctor', args: ['doctor'] },
    { id: 'protect', args: ['protect', '/srv'] },
    { id: 'unprotect', args: ['unprotect', '/srv'] },
    { id: 'run', args: ['run', '--', 'true'] },
    { id: 'audit tail', args: ['audit', 'tail'] },
    { id: 'audit verify', args: ['audit', 'verify'] },
    { id: 'audit export', args: ['audit', 'export', '--out', '/nowhere/x'] },
  ])('$id without an agent: status 1 and one line', async ({ args }) => {
    const state = makeStateDirectory();
    const ran = await cli('--state', state, ...args);
    rmSync(state, { recursive: true });
    expectOneLine(ran, 1, /not running|no trail/);
  });

  it('a failure with --json is JSON on standard output as well', async () => {
    const ran = await withState('info', '/etc/hostname', '--json');
    expect(ran.status).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: 'E_CONTAINER_MAGIC' } });
  });

  it.each([
    { id: 'garbage', bytes: Buffer.alloc(8192, 7), says: /not a sealed file/ },
    { id: 'a short file', bytes: Buffer.from('SEALWAY1'), says: /too short|incomplete/ },
    { id: 'an empty file', bytes: Buffer.alloc(0), says: /too short|not a sealed/ },
    {
      id: 'the magic and nothing else',
      bytes: Buffer.from('SEALWAY1'.padEnd(8192)),
      says: /header/i,
    },
  ])('info and unseal of $id: one line', async ({ bytes, says }) => {
    const path = join(folder.outside, 'thing');
    writeFileSync(path, bytes);
    expectOneLine(await withState('info', path), 1, says);
    const out = join(folder.outside, 'thing.out');
    expectOneLine(await withState('unseal', path, '--out', out), 1, says);
    expect(() => readFileSync(out)).toThrow('ENOENT');
  });

  it('info of a container that was cut still tells, and warns', async () => {
    const path = join(folder.outside, 'cut');
    writeFileSync(path, readFileSync(letter).subarray(0, -5));
    const ran = await withState('info', path);
    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(/warning|impossible/);
  });

  it.each(['missing', 'missing/deeper'])('info of a file that is not there: %s', async (name) => {
    expectOneLine(await withState('info', join(folder.outside, name)), 1, /no such file/i);
  });

  it('info of a directory', async () => {
    expectOneLine(await withState('info', folder.directory), 1, /directory/);
  });

  it('a reader that goes away ends it quietly', async () => {
    const line = `'${process.execPath}' '${CLI}' --state '${folder.agent.state}' audit tail -n 1000 | head -n 1`;
    const ran = await runProgram('bash', ['-c', `set -o pipefail; ${line}`]);
    expect([ran.status, ran.stderr]).toEqual([0, '']);
  });

  it('run passes standard input, output and error', async () => {
    const ran = await folder.inside(['sh', '-c', 'cat; echo wrong >&2; exit 7'], '一二三\u0000四');
    expect([ran.stdout, ran.stderr, ran.status]).toEqual(['一二三\u0000四', 'wrong\n', 7]);
  });

  it.each([0, 1, 2, 42, 127, 255])(
    'run ends with the status of the program: %d',
    async (status) => {
      const ran = await folder.inside(['sh', '-c', `exit ${String(status)}`]);
      expect(ran.status).toBe(status);
    },
  );

  it('run ends with 128 + signal when a signal ended the program', async () => {
    expect((await folder.inside(['sh', '-c', 'kill -USR1 $$'])).status).toBe(138);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const)(
    'run hands %s on',
    async (signal) => {
      const name = signal.slice(3);
      const { child } = await folder.begin([
        ...[
          'bash',
          '-c',
          `trap 'echo got ${name}; exit 9' ${name}; echo up; while :; do sleep 0.1; done`,
        ],
      ]);
      const said = firstLineOf(child);
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill(signal);
      expect([await said, await ended]).toEqual([`got ${name}`, 9]);
    },
  );

  it('run keeps the words of a command as they are', async () => {
    const words = ['a b', '', '"', "'", '$HOME', '--json', '-n', '*', '线\n行'];
    const ran = await folder.inside(['printf', '[%s]', ...words]);
    expect(ran.stdout).toBe(words.map((word) => `[${word}]`).join(''));
  });

  it('run passes 20 MiB through unharmed', async () => {
    const text = 'x'.repeat(1023) + '\n';
    const ran = await folder.inside(['cat'], text.repeat(20_480));
    expect(ran.stdout).toBe(text.repeat(20_480));
  });

  it('run of a program that is not there: one line', async () => {
    expectOneLine(await folder.inside(['no-such-program']), 1, /no such program/i);
  });

  it('open of what is neither sealed nor protected says so', async () => {
    const path = join(folder.outside, 'plain.txt');
    writeFileSync(path, 'plain text');
    const ran = await folder.agent.cli(['open', path], { as: folder.user });
    expectOneLine(ran, 1, /neither sealed nor in a protected folder/);
  });

  it('open of a type that no application opens says so', async () => {
    await folder.inside(['cp', letter, folder.path('thing.xyz')]);
    const ran = await folder.agent.cli(['open', folder.path('thing.xyz')], { as: folder.user });
    expectOneLine(ran, 1, /No application in the policy/);
  });

  it('up with a wrong option: status 2', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sealway-up-'));
    const ran = await cli('up', '--state', directory, '--label', 'nope', '--protect', directory);
    rmSync(directory, { recursive: true });
    expect(ran.status).not.toBe(0);
    expect(ran.stderr).not.toMatch(/\bat .*:\d+:\d+/);
  });
});
