/** The platform's basics: atomic files, the state lock, JSON lines, processes, the log. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { removeStaleTemps, writeFileAtomic } from './atomic-file.js';
import { runProcess, startProcess } from './child-process.js';
import { codeOfThrown, failFromThrown } from './errno.js';
import { openJsonLines } from './json-lines.js';
import { createLogger } from './logger.js';
import { acquireStateLock } from './state-lock.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealway-platform-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

async function* chunks(...texts: string[]): AsyncIterable<Uint8Array> {
  for (const text of texts) {
    await Promise.resolve();
    yield Buffer.from(text);
  }
}

describe('writeFileAtomic', () => {
  it.each([
    { id: 'text', bytes: (): string => 'abc' },
    { id: 'bytes', bytes: (): Uint8Array => Buffer.from('abc') },
    { id: 'stream', bytes: (): AsyncIterable<Uint8Array> => chunks('a', '', 'bc') },
  ])('$id replaces the file, with its mode', async ({ bytes }) => {
    const path = join(directory, 'f');
    writeFileSync(path, 'old');
    expect(await writeFileAtomic(path, bytes(), { mode: 0o640 })).toEqual({ ok: true, value: 3 });
    expect(readFileSync(path, 'utf8')).toBe('abc');
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(directory)).toEqual(['f']);
  });

  it('leaves the old file and no temp when the stream fails', async () => {
    const path = join(directory, 'f');
    writeFileSync(path, 'old');
    const failing = async function* (): AsyncIterable<Uint8Array> {
      yield Buffer.from('new');
      await Promise.resolve();
      throw new Error('broken');
    };
    await expect(writeFileAtomic(path, failing())).rejects.toThrow('broken');
    expect(readdirSync(directory)).toEqual(['f']);
    expect(readFileSync(path, 'utf8')).toBe('old');
  });

  it.each([
    { id: 'no-directory', name: 'no/f', code: 'E_NOT_FOUND' },
    { id: 'over-a-directory', name: '.', code: 'E_WRONG_TYPE' },
  ])('$id', async ({ code, name }) => {
    expect(await writeFileAtomic(join(directory, name), 'x')).toMatchObject({ error: { code } });
  });

  it('takes the longest name there is', async () => {
    expect(await writeFileAtomic(join(directory, 'n'.repeat(255)), 'x')).toMatchObject({
      ok: true,
    });
  });

  it('finds what a crash left', async () => {
    writeFileSync(join(directory, '.f.12.0123456789ab.tmp'), 'x');
    writeFileSync(join(directory, '.mine.tmp'), 'x');
    expect(await removeStaleTemps(directory)).toBe(1);
    expect(readdirSync(directory)).toEqual(['.mine.tmp']);
  });
});

describe('errno', () => {
  it.each([
    { id: 'ENOSPC', code: 'E_DISK_FULL' },
    { id: 'EROFS', code: 'E_READ_ONLY' },
    { id: 'ESTRANGE', code: 'E_IO' },
  ])('$id', ({ code, id }) => {
    expect(codeOfThrown({ code: id })).toBe(code);
  });

  it('lets bugs pass', () => {
    expect(() => failFromThrown(new TypeError('bug'), 'x')).toThrow('bug');
    expect(() => failFromThrown({ code: 'ERR_INVALID_ARG_TYPE' }, 'x')).toThrow();
  });
});

describe('acquireStateLock', () => {
  it('is held against another, named by pid, and given back', () => {
    const first = acquireStateLock(directory);
    expect(first.ok).toBe(true);
    expect(acquireStateLock(directory)).toMatchObject({
      error: {
        code: 'E_STATE_IN_USE',
        detail: expect.stringContaining(String(process.pid)) as unknown,
      },
    });
    if (first.ok) first.value.release();
    const again = acquireStateLock(directory);
    expect(again.ok).toBe(true);
    if (again.ok) again.value.release();
  });

  it('dies with its holder, killed without a word', async () => {
    const script = `import('better-sqlite3').then(({ default: D }) => {
      const d = new D(process.argv[1]); d.pragma('journal_mode = OFF'); d.exec('BEGIN EXCLUSIVE');
      console.log('held'); setInterval(() => 0, 1000); });`;
    let held: () => void = () => undefined;
    const holding = new Promise<void>((resolve) => {
      held = resolve;
    });
    const child = await startProcess(process.execPath, ['-e', script, join(directory, 'lock.db')], {
      onLine: () => {
        held();
      },
    });
    if (!child.ok) throw new Error(child.error.detail);
    await holding;
    expect(acquireStateLock(directory)).toMatchObject({ error: { code: 'E_STATE_IN_USE' } });
    child.value.signal('SIGKILL');
    await child.value.exited;
    const lock = acquireStateLock(directory);
    expect(lock.ok).toBe(true);
    if (lock.ok) lock.value.release();
  });
});

describe('openJsonLines', () => {
  const schema = z.strictObject({ n: z.number() });

  /** What the receiving side saw of `pieces`, and how it closed. */
  async function received(
    pieces: readonly (string | Buffer)[],
  ): Promise<{ got: number[]; code: string | undefined }> {
    const got: number[] = [];
    const server = createServer();
    const closed = new Promise<string | undefined>((resolve) => {
      server.once('connection', (socket) => {
        openJsonLines(socket, {
          schema,
          maxLineBytes: 32,
          onMessage: ({ n }) => got.push(n),
          onClose: (error) => {
            resolve(error?.code);
          },
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => undefined);
    for (const piece of pieces) {
      client.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    client.end();
    const code = await closed;
    client.destroy();
    server.close();
    return { got, code };
  }

  it.each([
    { id: 'two-in-one', pieces: ['{"n":1}\n{"n":2}\n'], got: [1, 2], code: undefined },
    { id: 'split', pieces: ['{"n"', ':1}', '\n'], got: [1], code: undefined },
    {
      id: 'unknown-member',
      pieces: ['{"n":1}\n{"n":2,"x":1}\n{"n":3}\n'],
      got: [1],
      code: 'E_LINE_MALFORMED',
    },
    { id: 'not-json', pieces: ['n\n'], got: [], code: 'E_LINE_MALFORMED' },
    { id: 'empty-line', pieces: ['\n'], got: [], code: 'E_LINE_MALFORMED' },
    {
      id: 'not-utf8',
      pieces: [Buffer.from([0x22, 0xff, 0x22, 0x0a])],
      got: [],
      code: 'E_LINE_MALFORMED',
    },
    { id: 'too-long', pieces: [`{"n":1${' '.repeat(40)}}\n`], got: [], code: 'E_LINE_TOO_LONG' },
    { id: 'endless', pieces: ['x'.repeat(20), 'x'.repeat(20)], got: [], code: 'E_LINE_TOO_LONG' },
    { id: 'cut', pieces: ['{"n":1}\n{"n"'], got: [1], code: 'E_LINE_MALFORMED' },
  ])('$id', async ({ code, got, pieces }) => {
    expect(await received(pieces)).toEqual({ got, code });
  });
});

describe('processes', () => {
  it('passes arguments untouched and the environment given, no more', async () => {
    const ran = await runProcess('/bin/sh', ['-c', 'echo "$1"; env', 'x', '$(id); "q"'], {
      env: { A: '1' },
    });
    expect(ran.ok && ran.value.stdout.toString()).toMatch(
      /^\$\(id\); "q"\n(?:PWD=.*\n|A=1\n|_=.*\n|SHLVL=.*\n|OLDPWD=.*\n)+$/,
    );
  });

  it('feeds stdin and collects', async () => {
    expect(
      await runProcess('cat', [], { input: 'abc', env: { PATH: '/bin:/usr/bin' } }),
    ).toMatchObject({
      value: { code: 0, stdout: Buffer.from('abc'), timedOut: false },
    });
  });

  it('says what could not be started', async () => {
    expect(await startProcess('/no/such', [])).toMatchObject({
      error: { code: 'E_PROCESS_START', detail: '/no/such: ENOENT' },
    });
  });

  it('kills after the deadline', async () => {
    const child = await startProcess(
      '/bin/sh',
      ['-c', 'trap "" TERM; while :; do sleep 0.1; done'],
      {
        env: { PATH: '/bin:/usr/bin' },
      },
    );
    if (!child.ok) throw new Error(child.error.detail);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await child.value.stop(200)).toEqual({ code: null, signal: 'SIGKILL' });
  });
});

describe('createLogger', () => {
  it.each([
    { id: 'key', fields: { key: 'abc' } },
    { id: 'master-secret', fields: { masterSecret: 'abc' } },
    { id: 'token-below', fields: { a: { authToken: 'abc' } } },
    { id: 'bytes', fields: { chunk: Buffer.from('abc') } },
    { id: 'bound', fields: {}, bound: { passphrase: 'abc' } },
  ])('$id stays out', ({ bound, fields }) => {
    const lines: string[] = [];
    createLogger({ write: (line) => lines.push(line) })
      .child(bound ?? {})
      .warn('m', fields);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('"m"');
    expect(lines[0]).not.toContain('abc');
  });

  it('cuts what is long, and keeps to its level', () => {
    const lines: string[] = [];
    const logger = createLogger({
      write: (line) => lines.push(line),
      level: 'warn',
      format: 'human',
    });
    logger.info('not seen');
    logger.error('seen', { text: 'x'.repeat(10_000), keyId: 'a/b/1' });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.length).toBeLessThan(2300);
    expect(lines[0]).toContain('keyId=a/b/1');
  });
});
