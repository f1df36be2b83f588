/**
 * sealfs when things go wrong: a full disk, keys that are withdrawn, kill -9, an agent that is
 * slow or away, containers that were changed behind its back.
 */
import { afterEach, expect, it } from '@jest/globals';
import {
  chownSync,
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  statfsSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { SealPendingAnswer } from '#src/contracts/sealfs-control.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { testSeed } from '../support/random.js';
import {
  SealfsUnderTest,
  ended,
  type SealfsOptions,
  type SealfsSession,
} from '../support/sealfs-under-test.js';
import { ensureTestUser } from '../support/users.js';
import { waitUntil } from '../support/wait-until.js';

const ROUNDS = process.env['SEALWAY_TEST_LONG'] === '1' ? 30 : 4;
const FRAME = 16_384 + 28;
const HEAD = 4_096;

describeWhere([missingRoot(), missingFuse()], 'sealfs', () => {
  let sealfs: SealfsUnderTest;
  let session: SealfsSession;

  async function begin(options: SealfsOptions = {}): Promise<void> {
    sealfs = await SealfsUnderTest.start(options);
    session = await sealfs.session(ensureTestUser('swtest1'));
  }
  const shell = async (script: string): Promise<string> => {
    const ran = await session.run(['sh', '-c', script], sealfs.folder);
    return ran.status === 0 ? ran.stdout : ran.stderr;
  };
  /** A clean stop, a change of the bare backing files, and a start. */
  async function behindItsBack(change: (folder: string) => void): Promise<void> {
    await sealfs.unmount();
    change(sealfs.folder);
    await sealfs.serve();
    session = await sealfs.session(ensureTestUser('swtest1'));
  }

  afterEach(async () => {
    await sealfs.dispose();
  });

  it('passes a full disk on, keeps what was there and goes on when there is room', async () => {
    await begin({ tmpfsBytes: 4 * 2 ** 20 });
    await shell('yes old | head -c 300000 > old.txt; sync old.txt');
    const filled = await session.script('sealfs-worker.py', ['fill', 'big.bin'], sealfs.folder);
    const [code, , size] = JSON.parse(filled.stdout) as [string, string, number];
    expect([code, size > 2 ** 20]).toEqual(['ENOSPC', true]);
    expect(await shell('yes old | head -c 300000 | cmp - old.txt')).toBe('');
    expect(await shell(`head -c ${String(size - 65_536)} big.bin | wc -c`)).toBe(
      `${String(size - 65_536)}\n`,
    );
    await shell('rm big.bin');
    await waitUntil(
      () => statfsSync(sealfs.folder).bavail * 4_096 > 2 ** 21,
      2_000,
      'the removed file’s room is free',
    );
    expect(await shell('yes new | head -c 900000 > new.txt && sync new.txt')).toBe('');
    expect(await shell('yes new | head -c 900000 | cmp - new.txt')).toBe('');
  });

  it('keeps the old content of a file that a full disk did not let grow', async () => {
    await begin({ tmpfsBytes: 4 * 2 ** 20 });
    await shell('yes old | head -c 1000000 > old.txt; sync old.txt');
    await session.script('sealfs-worker.py', ['fill', 'big.bin'], sealfs.folder);
    expect(await shell('yes more | head -c 500000 >> old.txt && sync old.txt')).toContain(
      'No space left',
    );
    expect(await shell('yes old | head -c 1000000 | cmp -n 1000000 - old.txt')).toBe('');
    expect(sealfs.events.filter(({ op }) => op === 'integrity')).toEqual([]);
  });

  it('ends plain views before it says that a key is withdrawn', async () => {
    await begin();
    await shell('printf secret > held.txt; sync held.txt');
    const worker = session.talk('sealfs-worker.py', ['hold'], sealfs.folder);
    expect(JSON.parse((await worker.line()) ?? '')).toEqual({ read: 'secret', mapping: 'ok' });
    await sealfs.withdrawKey();
    worker.say();
    const after = JSON.parse((await worker.line()) ?? '') as Record<string, string>;
    await ended(worker);
    const revoked = 'EKEYREVOKED';
    expect(after).toEqual({
      ...{ read: revoked, mapping: 'signal 7', written: revoked },
      ...{ write: expect.not.stringMatching('ok'), open: revoked, create: 'ENOKEY' },
    });
    const told = await sealfs.event(({ op }) => op === 'key-withdrawn', 'the withdrawn key');
    expect(told.details).toEqual({ area: 'main', label: 'internal', epoch: 1, files: 2 });
    await sealfs.addKey();
    expect(await shell('cat held.txt; head -c 5 written.txt; stat -c %s written.txt')).toBe(
      'secretdirty5000\n',
    );
  });

  it(`keeps every acknowledged byte through ${String(ROUNDS)} kills`, async () => {
    await begin();
    const size = 1_000_000;
    const seed = testSeed();
    let model: Buffer = Buffer.alloc(size, 'a');
    await shell(`yes a | tr -d '\\n' | head -c ${String(size)} > data; sync data`);
    for (let round = 0; round < ROUNDS; round += 1) {
      const args = ['hammer', 'data', String(seed + round), String(size)];
      const worker = session.talk('sealfs-worker.py', args, sealfs.folder);
      const kept = JSON.parse((await worker.line()) ?? '') as [string, number];
      expect({ seed, round, log: kept[1] }).toEqual({ seed, round, log: 0 });
      const killAfter = 20 + ((seed + round * 37) % 60);
      let flight: [number, number] = [0, 0];
      let acknowledged = 0;
      let killed: Promise<void> | null = null;
      for (let line = await worker.line(); line !== null; line = await worker.line()) {
        const [what, at, length, letter = 0] = JSON.parse(line) as [
          string,
          number,
          number,
          number?,
        ];
        if (what === 'begin') flight = [at, length];
        if (what === 'done') {
          model.fill(letter, at, at + length);
          flight = [0, 0];
        }
        if (what === 'logged') acknowledged = at;
        if ((what === 'done' || what === 'begin') && acknowledged * 3 > killAfter) {
          killed ??= sealfs.kill();
        }
      }
      await killed;
      await ended(worker);
      session.end();
      await sealfs.serve();
      session = await sealfs.session(ensureTestUser('swtest1'));
      const seen = await session.run(['cat', 'data'], sealfs.folder);
      expect({ seed, round, stderr: seen.stderr }).toEqual({ seed, round, stderr: '' });
      const other = differs(model, seen.stdoutBytes, flight);
      expect({ seed, round, other }).toEqual({ seed, round, other: null });
      model = seen.stdoutBytes;
      const log = await shell('cat data.log; : > data.log');
      const whole = log.split('\n').filter((line) => /^line \d{8}$/.test(line)).length;
      expect({ seed, round, lost: Math.max(0, acknowledged - whole) }).toEqual({
        ...{ seed, round, lost: 0 },
      });
    }
    expect(sealfs.events.filter(({ op }) => op === 'integrity')).toEqual([]);
  }, 120_000);

  it('lets an open of a barrier label go on when its record is durable', async () => {
    await begin({ barrier: true });
    const released = new Set<number>();
    const release = async (): Promise<void> => {
      for (const { op, details, sequence } of sealfs.events) {
        if (op !== 'open' || details['barrier'] !== true || released.has(sequence)) continue;
        released.add(sequence);
        await sealfs.order({ type: 'barrier-release', sequence });
      }
    };
    await shell('printf hello > file.txt; true');
    const before = sealfs.events.length;
    const reading = session.run(['cat', 'file.txt'], sealfs.folder);
    const event = await waitUntil(
      () =>
        sealfs.events.slice(before).find(({ op, details }) => op === 'open' && details['barrier']),
      10_000,
      'the open is recorded',
    );
    expect(event.outcome).toBe('ok');
    const early = await Promise.race([
      reading.then(() => 'read'),
      new Promise((resolve) => setTimeout(resolve, 300, 'waits')),
    ]);
    expect(early).toBe('waits');
    expect((await sealfs.health()).queue).toBeGreaterThanOrEqual(0);
    await release();
    expect((await reading).stdout).toBe('hello');
  });

  it('refuses an open of a barrier label after five seconds, or at once without an agent', async () => {
    await begin({ barrier: true });
    await shell('printf hello > file.txt; true');
    const began = Date.now();
    expect(await shell('cat file.txt')).toContain('Input/output error');
    expect(Date.now() - began).toBeGreaterThan(4_000);
    sealfs.client.close();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const alone = Date.now();
    expect(await shell('cat file.txt')).toContain('Input/output error');
    expect(Date.now() - alone).toBeLessThan(3_000);
    await sealfs.connect();
  });

  it('sends again what was not acknowledged, and nothing twice after that', async () => {
    await begin();
    await shell('echo one > one.txt');
    await sealfs.event(({ op, file }) => op === 'close' && file?.path === 'one.txt', 'a close');
    sealfs.client.close();
    await shell('echo two > two.txt; rm two.txt');
    sealfs.events.splice(0);
    const hello = await sealfs.connect();
    const unlinked = await sealfs.event(({ op }) => op === 'unlink', 'the removal');
    const sequences = sealfs.events.map(({ sequence }) => sequence);
    expect(hello.spooledFrom).toBe(1);
    expect(sequences).toEqual(sequences.map((_, index) => index + 1));
    await sealfs.order({ type: 'events-ack', upTo: unlinked.sequence });
    expect((await sealfs.health()).eventsSpooled).toBe(0);
    sealfs.client.close();
    expect((await sealfs.connect()).spooledFrom).toBe(unlinked.sequence + 1);
  });

  it('counts on from the last event after a kill', async () => {
    await begin();
    await shell('echo one > one.txt');
    const last = await sealfs.event(({ op, file }) => op === 'close' && file !== null, 'a close');
    await sealfs.order({ type: 'events-ack', upTo: last.sequence });
    await sealfs.kill();
    await sealfs.serve();
    session = await sealfs.session(ensureTestUser('swtest1'));
    await shell('echo two > two.txt');
    const next = await sealfs.event(
      ({ op, file }) => op === 'create' && file?.path === 'two.txt',
      'a new file',
    );
    expect(next.sequence).toBeGreaterThan(last.sequence);
  });

  it.each([
    {
      id: 'a changed byte',
      change: (bytes: Buffer): Buffer => {
        bytes[HEAD + 30_000] = (bytes[HEAD + 30_000] ?? 0) ^ 1;
        return bytes;
      },
    },
    { id: 'a cut frame', change: (bytes: Buffer): Buffer => bytes.subarray(0, -100) },
    {
      id: 'a missing frame',
      change: (bytes: Buffer): Buffer => bytes.subarray(0, HEAD + 2 * FRAME),
    },
    {
      id: 'a zeroed frame',
      change: (bytes: Buffer): Buffer => bytes.fill(0, HEAD + FRAME, HEAD + 2 * FRAME),
    },
    {
      id: 'swapped frames',
      change: (bytes: Buffer): Buffer => {
        const first = Buffer.from(bytes.subarray(HEAD, HEAD + FRAME));
        bytes.copyWithin(HEAD, HEAD + FRAME, HEAD + 2 * FRAME);
        first.copy(bytes, HEAD + FRAME);
        return bytes;
      },
    },
    {
      id: 'a replayed frame',
      change: (bytes: Buffer, older: Buffer): Buffer => {
        older.copy(bytes, HEAD + FRAME, HEAD + FRAME, HEAD + 2 * FRAME);
        return bytes;
      },
    },
    { id: 'something appended', change: (bytes: Buffer): Buffer => Buffer.concat([bytes, bytes]) },
  ])('never returns $id as data, and records it', async ({ change }) => {
    await begin();
    await shell('yes one | head -c 100000 > doc.txt');
    await sealfs.flush();
    const older = readFileSync(sealfs.path('doc.txt'));
    await shell(
      'yes two | dd of=doc.txt bs=100000 count=1 iflag=fullblock conv=notrunc status=none',
    );
    await sealfs.flush();
    await behindItsBack((folder) => {
      const path = join(folder, 'doc.txt');
      const bytes = change(readFileSync(path), older);
      const fd = openSync(path, 'r+');
      ftruncateSync(fd, 0);
      writeSync(fd, bytes);
      closeSync(fd);
    });
    const ran = await session.run(['cat', 'doc.txt'], sealfs.folder);
    expect(ran.stderr).toContain('Input/output error');
    // What was read before the fault is the document's own beginning and nothing else.
    expect('two\n'.repeat(25_000).startsWith(ran.stdout)).toBe(true);
    const told = await sealfs.event(({ op }) => op === 'integrity', 'the fault');
    expect(told).toMatchObject({ outcome: 'error', errno: 'EIO', file: { path: 'doc.txt' } });
    expect(told.details['code']).toEqual(expect.any(String));
  });

  it('seals what lay in the folder before, with owner, times and attributes as they were', async () => {
    const user = ensureTestUser('swtest1');
    await begin({
      prepare: (folder) => {
        mkdirSync(join(folder, 'sub'));
        writeFileSync(join(folder, 'sub/plain.csv'), 'unsealed '.repeat(9_000), { mode: 0o640 });
        writeFileSync(join(folder, '.~lock.letter.odt#'), 'li,host');
        writeFileSync(join(folder, 'empty.csv'), '');
        chownSync(join(folder, 'sub/plain.csv'), user.uid, user.gid);
        utimesSync(join(folder, 'sub/plain.csv'), 5, 6);
      },
    });
    expect(readFileSync(sealfs.path('sub/plain.csv'), 'utf8')).toContain('unsealed');
    const answer = await sealfs.ask({ type: 'seal-pending' }, SealPendingAnswer);
    expect(answer.skipped).toEqual([]);
    const bytes = readFileSync(sealfs.path('sub/plain.csv'));
    expect(bytes.toString('latin1', 0, 8)).toBe('SEALWAY1');
    const seen = statSync(sealfs.path('sub/plain.csv'));
    expect([seen.uid, seen.mode & 0o777, seen.mtimeMs]).toEqual([user.uid, 0o640, 6_000]);
    expect(readFileSync(sealfs.path('.~lock.letter.odt#'), 'utf8')).toBe('li,host');
    expect(await shell('wc -c < sub/plain.csv')).toBe('81000\n');
    expect(existsSync(sealfs.path('empty.csv'))).toBe(true);
  });
});

/** The first byte that is neither the model's nor within the write in flight; null: none. */
function differs(model: Buffer, seen: Buffer, [at, length]: [number, number]): string | null {
  if (model.length !== seen.length) return `${String(seen.length)} bytes`;
  const before = model.compare(seen, 0, at, 0, at) === 0;
  const after = model.subarray(at + length).equals(seen.subarray(at + length));
  return before && after ? null : `outside of ${String(at)}+${String(length)}`;
}
