/**
 * The employee who wants the data out, by way of files: links, races, names left unsealed, and holds
 * on files from before.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeOfficeSamples } from '../support/office-samples.js';
import { firstLineOf, makeFolder, ProtectedFolder, startAs } from '../support/protected-folder.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';

const attacker = (name: string): string =>
  new URL(`../support/attackers/${name}.py`, import.meta.url).pathname;

describeWhere([missingRoot(), missingFuse()], 'an insider with links and names', () => {
  let folder: ProtectedFolder;

  beforeAll(async () => {
    folder = await ProtectedFolder.start({ 'letter.txt': 'dear customer MARKER\n' });
  }, 60_000);
  afterAll(async () => {
    await folder.dispose();
  });

  const expectSealed = (bytes: Buffer): void => {
    expect(bytes.includes(folder.marker)).toBe(false);
  };

  it('a hard link does not lead out of the folder', async () => {
    const ran = await folder.attack(['ln', folder.path('letter.txt'), join(folder.outside, 'out')]);
    expect(ran.status).not.toBe(0);
  });

  it('a hard link within the folder is sealed under both names', async () => {
    await folder.attack(['ln', folder.path('letter.txt'), folder.path('.~lock.letter.txt#')]);
    expectSealed(readFileSync(folder.path('.~lock.letter.txt#')));
    expect(readFileSync(folder.path('.~lock.letter.txt#')).subarray(0, 8).toString()).toBe(
      'SEALWAY1',
    );
  });

  it('a symbolic link from outside shows the sealed view', async () => {
    const link = join(folder.outside, 'link');
    const ran = await folder.attack([
      'sh',
      '-c',
      `ln -s ${folder.path('letter.txt')} ${link}; cat ${link}`,
    ]);
    expect(ran.stdout).toContain('SEALWAY1');
    expectSealed(ran.stdoutBytes);
  });

  it('a session that is led outside by a symbolic link cannot write there', async () => {
    const target = join(folder.outside, 'leak.txt');
    await folder.attack([
      'sh',
      '-c',
      `: > ${target}; ln -s ${target} ${folder.path('report.txt')}`,
    ]);
    const ran = await folder.inside([
      'sh',
      '-c',
      `cat ${folder.path('letter.txt')} > ${folder.path('report.txt')}`,
    ]);
    expect(ran.status).not.toBe(0);
    expect(ran.stderr).toContain('Read-only file system');
    expect(readFileSync(target).length).toBe(0);
  });

  it.each(['symlink', 'hardlink'])(
    'a %s race gets nothing out of a session that saves',
    async (kind) => {
      const target = join(folder.outside, `raced-${kind}`);
      writeFileSync(target, '', { mode: 0o666 });
      chmodSync(target, 0o666);
      const victim = folder.path(`saved-${kind}.txt`);
      await folder.inside(['sh', '-c', `cat ${folder.path('letter.txt')} > ${victim}`]);
      const racer = startAs(
        folder.user,
        ['python3', attacker('swap-links'), kind, target, victim],
        folder.outside,
      );
      await firstLineOf(racer);
      const save = `for n in $(seq 300); do cat ${folder.path('letter.txt')} > ${victim}; done 2>/dev/null`;
      await folder.inside(['sh', '-c', save]);
      racer.kill('SIGKILL');
      await once(racer, 'exit');
      expect(readFileSync(target).length).toBe(0);
      const found = await folder.attack([
        'grep',
        '-rlaF',
        folder.marker,
        folder.outside,
        folder.directory,
      ]);
      expect(found.stdout).toBe('');
    },
    60_000,
  );

  it('a document that a session saves under a name left unsealed is sealed', async () => {
    const path = folder.path('.~lock.secret#');
    await folder.inside(['sh', '-c', `cat ${folder.path('letter.txt')} > '${path}'`]);
    const ran = await folder.attack(['cat', path]);
    expect(ran.stdout).toContain('SEALWAY1');
    expectSealed(ran.stdoutBytes);
  });

  it('a document that a session renames to a name left unsealed stays sealed', async () => {
    const path = folder.path('.~lock.renamed#');
    const letter = folder.path('letter.txt');
    await folder.inside(['sh', '-c', `cp ${letter} ${letter}.copy && mv ${letter}.copy '${path}'`]);
    expectSealed((await folder.attack(['cat', path])).stdoutBytes);
  });

  it('a document that a session writes into an unsealed file of an outsider is sealed', async () => {
    const path = folder.path('.~lock.prepared#');
    await folder.attack(['sh', '-c', `echo prepared > '${path}'`]);
    const ran = await folder.inside(['sh', '-c', `cat ${folder.path('letter.txt')} >> '${path}'`]);
    expectSealed((await folder.attack(['cat', path])).stdoutBytes);
    expectSealed(readFileSync(path));
    expect([ran.status, ran.stderr]).toEqual([0, '']);
  });

  describe('who holds a file from before a session wrote to it', () => {
    const BUSY = /^(.*: Device or resource busy\n)?$/;
    const rows = [
      { id: 'a document', name: (n: number) => `held-${String(n)}.txt`, renamed: '' },
      { id: 'an unsealed name', name: (n: number) => `.~lock.held-${String(n)}#`, renamed: '' },
      {
        id: 'an unsealed name since renamed',
        name: (n: number) => `.~lock.moved-${String(n)}#`,
        renamed: '.~lock.last#',
      },
    ].flatMap((row) => [
      { ...row, n: 1, how: 'appends', command: 'cat LETTER >> FILE', stderr: BUSY },
      { ...row, n: 2, how: 'overwrites', command: 'cat LETTER > FILE', stderr: BUSY },
      {
        ...{ ...row, n: 3, how: 'writes in place', stderr: BUSY },
        command: 'dd if=LETTER of=FILE conv=notrunc status=none',
      },
      {
        ...{ ...row, n: 4, how: 'renames over it', stderr: /^$/ },
        command: 'cp LETTER FILE.new && mv FILE.new FILE',
      },
    ]);
    it.each(rows)(
      '$id, session $how: sees nothing',
      async ({ name, n, renamed, ...row }) => {
        const place = folder.path(name(n));
        const last = renamed === '' ? place : folder.path(`${renamed}${String(n)}#`);
        const words = renamed === '' ? [place] : [place, last];
        const holder = startAs(
          folder.user,
          ['python3', attacker('held-descriptor'), ...words],
          folder.outside,
        );
        const lines = linesOf(holder);
        await firstLineOf(holder);
        const letter = folder.path('letter.txt');
        const script = row.command.replaceAll('LETTER', letter).replaceAll('FILE', `'${last}'`);
        const ran = await folder.inside(['sh', '-c', script]);
        holder.stdin?.write('look\n');
        const seen = JSON.parse((await lines).at(-1) ?? '') as Record<string, string>;
        const leaks = Object.entries(seen).filter(([, text]) => text.includes(folder.marker));
        expect(leaks.map(([way]) => way)).toEqual([]);
        expect(ran.stderr).toMatch(row.stderr);
      },
      30_000,
    );
  });
});

describeWhere([missingRoot(), missingFuse()], 'a link race against the sealing of a folder', () => {
  it.each(['symlink', 'hardlink'])(
    '%s: nothing outside the folder is touched',
    async (kind) => {
      const canaries = mkdtempSync(join(tmpdir(), 'sealway-canary-'));
      const canary = join(canaries, 'shadow');
      writeFileSync(canary, 'root only', { mode: 0o600 });
      chmodSync(canaries, 0o711);
      const before = statSync(canary, { bigint: true });
      const folder = await ProtectedFolder.start({});
      const directory = makeFolder(folder.user, 'raced');
      try {
        const files = writeOfficeSamples(directory, 60, folder.marker).map(({ path }) => path);
        execFileSync('chown', [
          '-R',
          `${String(folder.user.uid)}:${String(folder.user.gid)}`,
          directory,
        ]);
        const racer = startAs(
          folder.user,
          ['python3', attacker('swap-links'), kind, canary, ...files],
          directory,
        );
        await firstLineOf(racer);
        const ran = await folder.agent.cli([
          'protect',
          directory,
          '--label',
          'internal',
          '--area',
          'main',
        ]);
        racer.kill('SIGKILL');
        await once(racer, 'exit');
        const after = statSync(canary, { bigint: true });
        expect(readFileSync(canary, 'utf8')).toBe('root only');
        expect([after.ino, after.uid, after.mode, after.mtimeNs]).toEqual([
          before.ino,
          before.uid,
          before.mode,
          before.mtimeNs,
        ]);
        expect(ran.stderr).not.toMatch(/\bat .*:\d+:\d+/);
      } finally {
        await folder.dispose();
        rmSync(directory, { recursive: true, force: true });
        rmSync(canaries, { recursive: true, force: true });
      }
    },
    90_000,
  );
});

function linesOf(child: ReturnType<typeof startAs>): Promise<string[]> {
  if (child.stdout === null) throw new Error('the child has no pipes');
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return new Promise((resolve, reject) => {
    child.once('close', (status) => {
      if (status === 0) resolve(lines);
      else reject(new Error(`it ended with ${String(status)}`));
    });
  });
}
