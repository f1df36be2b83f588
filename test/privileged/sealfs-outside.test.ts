/**
 * Programs outside every session in a protected folder: what they see, what they may do, and what
 * becomes of what they write.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { diskSizeOf } from '#src/core/container/geometry.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { runProgram } from '../support/run-program.js';
import { SealfsUnderTest, type SealfsSession } from '../support/sealfs-under-test.js';
import { ensureTestUser, type TestUser } from '../support/users.js';

const MAGIC = 'SEALWAY1';
const TEXT = 'waybill 4711 Hangzhou\n';

/** The code with which `act` failed; 'ok' when it did not. */
function outcome(act: () => unknown): string {
  try {
    act();
    return 'ok';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

describeWhere([missingRoot(), missingFuse()], 'outside every session', () => {
  let sealfs: SealfsUnderTest;
  let session: SealfsSession;
  let user: TestUser;
  const at = (name: string): string => sealfs.path(name);
  const magicOf = (name: string): string => readFileSync(at(name)).toString('latin1', 0, 8);
  const write = async (name: string, repeat = 1): Promise<void> => {
    const script = `yes '${TEXT.trimEnd()}' | head -n ${String(repeat)} > "$1"`;
    const ran = await session.run(['sh', '-c', script, '_', name], sealfs.folder);
    expect(ran).toMatchObject({ status: 0, stderr: '' });
  };
  const inside = async (name: string): Promise<string> =>
    (await session.run(['cat', name], sealfs.folder)).stdout;

  beforeAll(async () => {
    user = ensureTestUser('swtest1');
    sealfs = await SealfsUnderTest.start();
    session = await sealfs.session(user);
    await write('sealed.csv', 2_000);
  });
  afterAll(() => sealfs.dispose());

  it.each([
    { id: 'to write', act: () => openSync(at('sealed.csv'), 'r+') },
    { id: 'to append', act: () => openSync(at('sealed.csv'), 'a') },
    { id: 'to truncate', act: () => openSync(at('sealed.csv'), 'w') },
    {
      id: 'truncate by path',
      act: () => {
        truncateSync(at('sealed.csv'), 5);
      },
    },
  ])('nobody opens a sealed file $id', async ({ act }) => {
    expect(outcome(act)).toBe('EACCES');
    expect(await inside('sealed.csv')).toBe(TEXT.repeat(2_000));
  });

  it('shows the container, its size and no text', () => {
    const bytes = readFileSync(at('sealed.csv'));
    expect(bytes.toString('latin1', 0, 8)).toBe(MAGIC);
    expect(bytes.includes('waybill')).toBe(false);
    expect(statSync(at('sealed.csv')).size).toBe(bytes.length);
    expect(bytes.length).toBe(diskSizeOf(14, TEXT.length * 2_000));
  });

  it('the size follows each change made inside', async () => {
    for (const count of [1, 3_000, 10]) {
      await write('grows.csv', count);
      expect(statSync(at('grows.csv')).size).toBe(diskSizeOf(14, TEXT.length * count));
      expect(readFileSync(at('grows.csv')).length).toBe(diskSizeOf(14, TEXT.length * count));
    }
  });

  it('renames and removes as the mode bits allow', async () => {
    await write('first.csv');
    await write('second.csv', 3);
    renameSync(at('first.csv'), at('second.csv'));
    expect(await inside('second.csv')).toBe(TEXT);
    unlinkSync(at('second.csv'));
    expect(outcome(() => statSync(at('second.csv')))).toBe('ENOENT');
  });

  it('seals what is written, while it is written', async () => {
    const fd = openSync(at('download.bin'), 'wx+', 0o644);
    const part = Buffer.alloc(100_000, TEXT);
    writeSync(fd, part);
    fsyncSync(fd);
    const back = Buffer.alloc(100);
    readSync(fd, back, 0, 100, 0);
    expect(back.equals(part.subarray(0, 100))).toBe(true);
    expect(magicOf('download.bin')).toBe(MAGIC);
    expect(outcome(() => openSync(`/proc/self/fd/${String(fd)}`, 'r+'))).not.toBe('ok');
    closeSync(fd);
    expect(readFileSync(at('download.bin')).includes('waybill')).toBe(false);
    expect(await inside('download.bin')).toBe(part.toString());
    await sealfs.event((event) => event.op === 'sealed-in', 'what came in');
  });

  it('is not disturbed: a session reads what is still coming in, and does not write it', async () => {
    const fd = openSync(at('shared.bin'), 'wx+', 0o666);
    fchmodSync(fd, 0o666);
    writeSync(fd, Buffer.alloc(50_000, TEXT));
    fsyncSync(fd);
    expect(await inside('shared.bin')).toHaveLength(50_000);
    const writing = await session.run(['sh', '-c', 'echo x >> shared.bin'], sealfs.folder);
    expect(writing.stderr).toContain('busy');
    writeSync(fd, Buffer.alloc(10_000, TEXT), 0, 10_000, 50_000);
    closeSync(fd);
    expect(await inside('shared.bin')).toHaveLength(60_000);
  });

  it('copies containers within as they are', async () => {
    await sealfs.flush();
    copyFileSync(at('sealed.csv'), at('copy.csv'));
    expect(readFileSync(at('copy.csv')).length).toBe(readFileSync(at('sealed.csv')).length);
    expect(await inside('copy.csv')).toBe(TEXT.repeat(2_000));
  });

  it('takes a container in as it is, also in small pieces', async () => {
    await sealfs.flush();
    const container = readFileSync(at('sealed.csv'));
    const fd = openSync(at('restored.csv'), 'wx');
    for (let done = 0; done < container.length; done += 777) {
      writeSync(fd, container, done, Math.min(777, container.length - done));
    }
    closeSync(fd);
    expect(await inside('restored.csv')).toBe(TEXT.repeat(2_000));
    expect(readFileSync(at('restored.csv')).equals(container)).toBe(true);
  });

  it('seals what only looks like a container', async () => {
    await sealfs.flush();
    const forged = Buffer.from(readFileSync(at('sealed.csv')));
    forged[600] = (forged[600] ?? 0) ^ 1;
    forged[2_200] = (forged[2_200] ?? 0) ^ 1;
    writeFileSync(at('forged.csv'), forged);
    const seen = await session.run(['cat', 'forged.csv'], sealfs.folder);
    expect(seen.stdoutBytes.equals(forged)).toBe(true);
  });

  it('writes excluded names unsealed and does not let them become others', () => {
    writeFileSync(at('.~lock.letter.odt#'), 'li,host');
    expect(readFileSync(at('.~lock.letter.odt#'), 'utf8')).toBe('li,host');
    const rename = (): void => {
      renameSync(at('.~lock.letter.odt#'), at('letter.odt'));
    };
    const link = (): void => {
      linkSync(at('.~lock.letter.odt#'), at('letter.odt'));
    };
    expect([outcome(rename), outcome(link)]).toEqual(['EXDEV', 'EXDEV']);
    renameSync(at('.~lock.letter.odt#'), at('.~lock.other.odt#'));
    appendFileSync(at('.~lock.other.odt#'), '!');
    expect(readFileSync(at('.~lock.other.odt#'), 'utf8')).toBe('li,host!');
  });

  it('moves an excluded name to another by copying, which seals', async () => {
    writeFileSync(at('part.tmp'), TEXT);
    const moved = await runProgram('mv', ['part.tmp', 'whole.csv'], { cwd: sealfs.folder });
    expect(moved.stderr).toBe('');
    expect(magicOf('whole.csv')).toBe(MAGIC);
    expect(await inside('whole.csv')).toBe(TEXT);
  });

  it.each([
    { id: 'create', act: () => openSync(at('.sealway-tmp-1'), 'w') },
    {
      id: 'rename to',
      act: () => {
        writeFileSync(at('mine.txt'), TEXT);
        renameSync(at('mine.txt'), at('.sealway-tmp-2'));
      },
    },
  ])('has no use of the names of sealfs: $id', ({ act }) => {
    expect(outcome(act)).toBe('EPERM');
  });

  it('another user in the session’s namespace gets nothing', async () => {
    await session.run(['chmod', '644', 'sealed.csv'], sealfs.folder);
    const intruder = ensureTestUser('swtest2');
    const ran = await session.run(['cat', 'sealed.csv'], sealfs.folder, intruder);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toContain('Permission denied');
    await sealfs.event(
      ({ outcome: came, uid }) => came === 'refused' && uid === intruder.uid,
      'the refused open',
    );
  });

  it('an ordinary user is the owner of what it creates', async () => {
    const ran = await runProgram('sh', ['-c', `umask 027; echo ${TEXT.trimEnd()} > mine.csv`], {
      as: user,
      cwd: sealfs.folder,
    });
    expect(ran.stderr).toBe('');
    const seen = statSync(at('mine.csv'));
    expect([seen.uid, seen.gid, seen.mode & 0o777]).toEqual([user.uid, user.gid, 0o640]);
    expect(await inside('mine.csv')).toBe(TEXT);
  });
});
