/** seal, unseal, protect and unprotect: what comes back is what went in, or nothing does. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { sha256 } from '../support/office-samples.js';
import { expectOneLine } from '../support/one-line.js';
import { makeFolder, ProtectedFolder } from '../support/protected-folder.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { ensureTestUser } from '../support/users.js';

const MIB = 1024 * 1024;

describeWhere([missingRoot(), missingFuse()], 'sealing by hand', () => {
  let folder: ProtectedFolder;
  let place: string;

  beforeAll(async () => {
    folder = await ProtectedFolder.start({});
    place = folder.outside;
  }, 60_000);
  afterAll(async () => {
    await folder.dispose();
  });

  const cli = (...args: string[]): ReturnType<ProtectedFolder['agent']['cli']> =>
    folder.agent.cli(args, { as: folder.user });
  const make = (name: string, bytes: Uint8Array): string => {
    const path = join(place, name);
    writeFileSync(path, bytes);
    execFileSync('chown', [folder.user.name, path]);
    return path;
  };

  it.each([0, 1, 4095, 16_384, 16_385, 50 * MIB])(
    '%d bytes go and come back',
    async (size) => {
      const bytes = randomBytes(size);
      const path = make(`文件-${String(size)}.bin`, bytes);
      chmodSync(path, 0o640);
      utimesSync(path, 1_700_000_000, 1_700_000_001);
      const sealed = await cli('seal', path, '--label', 'confidential', '--area', 'main');
      expect([sealed.status, sealed.stderr]).toEqual([0, '']);
      expect(readFileSync(path).subarray(0, 8).toString()).toBe('SEALWAY1');
      expect([statSync(path).mode & 0o777, statSync(path).mtimeMs]).toEqual([
        0o640, 1_700_000_001_000,
      ]);
      const out = `${path}.out`;
      const unsealed = await cli('unseal', path, '--out', out);
      expect([unsealed.status, unsealed.stderr]).toEqual([0, '']);
      expect(sha256(readFileSync(out))).toBe(sha256(bytes));
      expect(statSync(out).mode & 0o777).toBe(0o600);
    },
    60_000,
  );

  it('sealing what is sealed changes nothing', async () => {
    const path = make('twice.txt', Buffer.from('once'));
    await cli('seal', path);
    const before = readFileSync(path);
    const again = await cli('seal', path, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ files: [{ outcome: 'was sealed' }] });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('a directory is sealed file by file; links are left alone', async () => {
    const directory = join(place, 'tree');
    mkdirSync(join(directory, 'deep'), { recursive: true });
    for (const name of ['a', 'deep/b']) make(join('tree', name), Buffer.from(name));
    symlinkSync('a', join(directory, 'link'));
    execFileSync('chown', ['-hR', folder.user.name, directory]);
    const ran = await cli('seal', directory, '--json');
    const { files } = JSON.parse(ran.stdout) as { files: { file: string }[] };
    expect(files.map(({ file }) => file)).toEqual([
      join(directory, 'a'),
      join(directory, 'deep/b'),
    ]);
  });

  it.each([
    {
      id: 'cut',
      harm: (path: string) => {
        truncateSync(path, statSync(path).size - 1);
      },
    },
    {
      id: 'cut to its head',
      harm: (path: string) => {
        truncateSync(path, 4096);
      },
    },
    {
      id: 'changed in its last frame',
      harm: (path: string) => {
        flip(path, -20);
      },
    },
    {
      id: 'changed in its middle',
      harm: (path: string) => {
        flip(path, 100_000);
      },
    },
    {
      id: 'longer by a byte',
      harm: (path: string) => {
        writeFileSync(path, 'x', { flag: 'a' });
      },
    },
  ])(
    'unseal of a container that was $id: one line, no file, no part of one',
    async ({ id, harm }) => {
      const path = make(`harmed ${id}.bin`, randomBytes(300_000));
      await cli('seal', path);
      harm(path);
      const before = readdirSync(place).sort();
      const out = join(place, 'harmed.out');
      const ran = await cli('unseal', path, '--out', out);
      expectOneLine(ran, 1, /incomplete|damaged|do not belong together/i);
      expect(readdirSync(place).sort()).toEqual(before);
    },
  );

  it.each([
    { id: 'a directory', out: '/tmp' },
    { id: 'a place that is not there', out: '/nowhere/at/all' },
    { id: 'a place that may not be written', out: '/etc/sealway-out' },
    { id: 'a full disk', out: '/dev/full' },
  ])('unseal to $id: one line', async ({ out }) => {
    const path = make('fine.txt', Buffer.from('fine'));
    await cli('seal', path);
    expectOneLine(await cli('unseal', path, '--out', out), 1, /sealway:/);
  });

  it('seal of a file that may not be replaced leaves it as it was', async () => {
    expectOneLine(await cli('seal', '/etc/hostname'), 1, /may not do that/);
    expect(existsSync('/etc/hostname')).toBe(true);
  });

  it('unseal says what it is about to do with --json', async () => {
    const path = make('json.txt', Buffer.from('twelve bytes'));
    await cli('seal', path);
    const ran = await cli('unseal', path, '--out', `${path}.out`, '--json');
    expect(JSON.parse(ran.stdout)).toMatchObject({ out: `${path}.out`, sizeBytes: 12 });
  });
});

describeWhere([missingRoot(), missingFuse()], 'protect and unprotect --unseal', () => {
  it('gives back bytes, names, modes, owners, times, attributes, ACLs and links', async () => {
    const folder = await ProtectedFolder.start({});
    const other = ensureTestUser('swtest2');
    const directory = makeFolder(folder.user, 'round trip 往返');
    try {
      mkdirSync(join(directory, 'sub'));
      const sizes = [0, 1, 16_384, 70_000];
      sizes.forEach((size, index) => {
        const path = join(directory, index % 2 === 0 ? 'sub' : '.', `文件 ${String(index)}.docx`);
        writeFileSync(path, randomBytes(size));
        execFileSync('setfattr', ['-n', 'user.comment', '-v', `note ${String(index)}`, path]);
        execFileSync('chown', [index % 2 === 0 ? folder.user.name : other.name, path]);
        execFileSync('setfacl', ['-m', `u:${other.name}:r`, path]);
        chmodSync(path, [0o600, 0o644, 0o440, 0o755][index] ?? 0o600);
        utimesSync(path, 1_600_000_000 + index, 1_600_000_100 + index);
      });
      symlinkSync('sub', join(directory, 'link'));
      writeFileSync(join(directory, 'one'), 'two names');
      execFileSync('ln', [join(directory, 'one'), join(directory, 'two')]);
      // Times are kept to the microsecond.
      utimesSync(join(directory, 'one'), 1_600_000_000, 1_600_000_000);
      const before = picture(directory);
      const protectedAll = await folder.agent.cli(['protect', directory, '--json']);
      expect([protectedAll.status, protectedAll.stderr]).toEqual([0, '']);
      for (const name of ['文件 1.docx', 'sub/文件 0.docx', 'one', 'two']) {
        const bytes = readFileSync(join(directory, name));
        expect([name, bytes.subarray(0, 8).toString()]).toEqual([name, 'SEALWAY1']);
      }
      const given = await folder.agent.cli(['unprotect', directory, '--unseal', '--json']);
      expect([given.status, given.stderr]).toEqual([0, '']);
      expect(picture(directory)).toEqual(before);
    } finally {
      await folder.dispose();
      rmSync(directory, { recursive: true, force: true });
    }
  }, 60_000);

  it('without --unseal the files stay sealed, and protecting again opens them', async () => {
    const folder = await ProtectedFolder.start({ 'letter.txt': 'dear MARKER' });
    try {
      await folder.agent.cli(['unprotect', folder.directory]);
      expect(readFileSync(folder.path('letter.txt')).subarray(0, 8).toString()).toBe('SEALWAY1');
      await folder.agent.cli([
        'protect',
        folder.directory,
        '--label',
        'internal',
        '--area',
        'main',
      ]);
      expect((await folder.inside(['cat', folder.path('letter.txt')])).stdout).toBe(
        `dear ${folder.marker}`,
      );
    } finally {
      await folder.dispose();
    }
  }, 60_000);
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

/** All there is to a tree but inode numbers and change times, as text. */
function picture(directory: string): string {
  const script = [
    'find . -printf "%p %y %m %u %g %s %T@ %n %l\\n" | sort | grep -v " d "',
    'find . -type f -exec sha256sum {} + | sort -k2',
    'getfacl -R . 2>/dev/null',
    'getfattr -R -d -m user . 2>/dev/null',
  ].join('; ');
  return execFileSync('bash', ['-c', script], { cwd: directory, encoding: 'utf8' });
}
