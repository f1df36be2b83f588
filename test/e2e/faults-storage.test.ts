/** The admin on a bad day, with disks and policy: full, read-only, wrong; nothing is lost. */
import { chownSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { AgentUnderTest } from '../support/agent-under-test.js';
import { fillUp, withSmallStore } from '../support/full-disk.js';
import { sha256, writeOfficeSamples, newMarker } from '../support/office-samples.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { runProgram } from '../support/run-program.js';
import { ensureTestUser, type TestUser } from '../support/users.js';
import { waitUntil } from '../support/wait-until.js';

const POLICIES = new URL('../../policies', import.meta.url).pathname;
const LABELLED = { label: 'internal', area: 'main' } as const;
const OLD = 'the document as it was\n'.repeat(2000);

/** Writes 8 MiB in the way named, and prints the error met, as an application meets it. */
const WRITE = `
import errno, os, sys
way, path = sys.argv[1], sys.argv[2]
try:
    if way == 'in-place':
        fd = os.open(path, os.O_WRONLY)
    else:
        fd = os.open(path + '.new', os.O_WRONLY | os.O_CREAT)
    for n in range(128):
        os.write(fd, bytes([65 + n % 26]) * 65536)
    os.fsync(fd)
    os.close(fd)
    if way == 'rename':
        os.rename(path + '.new', path)
    print('written')
except OSError as refused:
    print(errno.errorcode[refused.errno])
`;

describeWhere([missingRoot(), missingFuse()], 'disks that are full or read-only', () => {
  let user: TestUser;
  beforeAll(() => {
    user = ensureTestUser('swtest1');
  });

  it('a full disk: ENOSPC in the session, the old document stays readable', async () => {
    await withSmallStore('4m', user, async (directory) => {
      const path = join(directory, 'letter.txt');
      writeFileSync(path, OLD);
      chownSync(path, user.uid, user.gid);
      const agent = await AgentUnderTest.start({ ...LABELLED, protect: [directory] });
      try {
        const ran = await agent.run(['python3', '-c', WRITE, 'rename', path], { as: user });
        expect(ran.stdout).toBe('ENOSPC\n');
        expect((await agent.run(['cat', path], { as: user })).stdout).toBe(OLD);
        await agent.run(['rm', `${path}.new`], { as: user });
        const again = await agent.run(['sh', '-c', `echo more >> ${path}`], { as: user });
        expect([again.status, again.stderr]).toEqual([0, '']);
        expect((await agent.run(['cat', path], { as: user })).stdout).toBe(`${OLD}more\n`);
      } finally {
        await agent.dispose();
      }
    });
  }, 60_000);

  it('a full disk while a document is written in place: ENOSPC, what was acknowledged is there', async () => {
    await withSmallStore('4m', user, async (directory) => {
      const path = join(directory, 'letter.txt');
      writeFileSync(path, OLD);
      chownSync(path, user.uid, user.gid);
      const agent = await AgentUnderTest.start({ ...LABELLED, protect: [directory] });
      try {
        const ran = await agent.run(['python3', '-c', WRITE, 'in-place', path], { as: user });
        expect(ran.stdout).toBe('ENOSPC\n');
        const after = await agent.run(['head', '-c', '65536', path], { as: user });
        expect([after.status, after.stderr]).toEqual([0, '']);
        expect(after.stdout.startsWith('AAAA')).toBe(true);
      } finally {
        await agent.dispose();
      }
    });
  }, 60_000);

  it('a full disk while a folder is sealed: nothing is lost, and it goes on when there is room', async () => {
    await withSmallStore('12m', user, async (directory) => {
      const samples = writeOfficeSamples(directory, 40, newMarker());
      writeFileSync(join(directory, 'large.bin'), Buffer.alloc(4 * 1024 * 1024, 7));
      await runProgram('chown', ['-R', user.name, directory]);
      const filler = await fillUp(directory, 16_384);
      const agent = await AgentUnderTest.start();
      try {
        const words = ['protect', directory, '--label', 'internal', '--area', 'main'];
        const full = await agent.cli(words);
        expect(full.stderr).not.toMatch(/\bat .*:\d+:\d+/);
        expect(full.stderr).toMatch(/disk is full/i);
        rmSync(filler, { force: true });
        const again = await agent.cli(words);
        expect([again.status, again.stderr]).toEqual([0, '']);
        const ran = await agent.run(['sha256sum', ...samples.map(({ path }) => path)], {
          as: user,
        });
        const sums = ran.stdout
          .trim()
          .split('\n')
          .map((line) => line.replace(/^\\/, '').slice(0, 64));
        expect(sums).toEqual(samples.map((sample) => sample.sha256));
        const large = await agent.run(['sha256sum', join(directory, 'large.bin')], { as: user });
        expect(large.stdout.slice(0, 64)).toBe(sha256(Buffer.alloc(4 * 1024 * 1024, 7)));
      } finally {
        await agent.dispose();
      }
    });
  }, 90_000);

  it('a read-only store: one line when it holds plain files, nothing changed', async () => {
    await withSmallStore('4m', user, async (directory) => {
      const path = join(directory, 'letter.txt');
      writeFileSync(path, OLD);
      await runProgram('mount', ['-o', 'remount,ro', directory]);
      const agent = await AgentUnderTest.start();
      try {
        const ran = await agent.cli([
          'protect',
          directory,
          '--label',
          'internal',
          '--area',
          'main',
        ]);
        expect(ran.stderr).toMatch(/can only be read|read-only/i);
        expect(ran.stderr).not.toMatch(/\bat .*:\d+:\d+/);
        await agent.stop();
        expect(readFileSync(path, 'utf8')).toBe(OLD);
      } finally {
        await agent.dispose();
      }
    });
  }, 60_000);

  it('a store that became read-only: EROFS in the session, the document stays readable', async () => {
    await withSmallStore('4m', user, async (directory) => {
      const path = join(directory, 'letter.txt');
      writeFileSync(path, OLD);
      chownSync(path, user.uid, user.gid);
      const first = await AgentUnderTest.start({ ...LABELLED, protect: [directory] });
      await first.stop();
      await runProgram('mount', ['-o', 'remount,ro', directory]);
      const agent = await AgentUnderTest.start({ state: first.state });
      try {
        expect((await agent.run(['cat', path], { as: user })).stdout).toBe(OLD);
        const ran = await agent.run(['sh', '-c', `echo x >> ${path}`], { as: user });
        expect(ran.stderr).toMatch(/Read-only file system/);
        expect((await agent.run(['cat', path], { as: user })).stdout).toBe(OLD);
      } finally {
        await agent.dispose();
      }
    });
  }, 60_000);
});

describeWhere([missingRoot()], 'a policy set with errors', () => {
  let set: string;
  beforeAll(() => {
    set = mkdtempSync(join(tmpdir(), 'sealway-set-'));
    cpSync(join(POLICIES, 'baseline'), set, { recursive: true });
  });
  afterAll(() => {
    rmSync(set, { recursive: true, force: true });
  });
  const spoil = (): void => {
    const text = readFileSync(join(set, 'labels.yaml'), 'utf8');
    writeFileSync(join(set, 'labels.yaml'), text.replace('recordSealedOpens', 'recordSealedOpenz'));
  };
  const mend = (): void => {
    cpSync(join(POLICIES, 'baseline', 'labels.yaml'), join(set, 'labels.yaml'));
  };

  it.each([
    {
      id: 'an unknown key',
      file: 'labels.yaml',
      text: 'labels:\n  - name: public\n    barier: true\n',
    },
    { id: 'no YAML', file: 'folders.yaml', text: 'default: {\n' },
    { id: 'no Cedar', file: 'rules.cedar', text: 'permit (principal, action' },
    { id: 'a failing test', file: 'tests.yaml', text: 'tests: nonsense\n' },
  ])('the agent does not start with $id, and names file and line', async ({ file, text }) => {
    const broken = mkdtempSync(join(tmpdir(), 'sealway-broken-'));
    cpSync(join(POLICIES, 'baseline'), broken, { recursive: true });
    writeFileSync(join(broken, file), text);
    const said = await AgentUnderTest.start({ policy: broken }).catch((reason: unknown) =>
      String(reason),
    );
    rmSync(broken, { recursive: true });
    expect(said).toContain('ended with 1');
    expect(said).toMatch(new RegExp(`${file.replace('.', '\\.')}:\\d+`));
    expect(said).not.toMatch(/\bat .*\.js:\d+:\d+/);
  });

  it.each([
    { id: 'a set that is not there', policy: '/nowhere', says: /no policy set at this place/ },
    { id: 'an unknown name', policy: 'frobnicate', says: /no policy set at this place/ },
    { id: 'an empty directory', policy: 'EMPTY', says: /set\.yaml/ },
  ])('the agent does not start with $id', async ({ policy, says }) => {
    const empty = mkdtempSync(join(tmpdir(), 'sealway-empty-'));
    const said = await AgentUnderTest.start({ policy: policy.replace('EMPTY', empty) }).catch(
      (reason: unknown) => String(reason),
    );
    rmSync(empty, { recursive: true });
    expect(said).toContain('ended with 1');
    expect(said).toMatch(says);
  });

  it('an error in a hot reload keeps the old set, and status, doctor and trail tell it', async () => {
    mend();
    const agent = await AgentUnderTest.start({ policy: set });
    try {
      interface Status {
        policy: { version: string; errors: string[] };
      }
      const before = await agent.json<Status>(['status']);
      spoil();
      const after = await waitUntil(
        async () => {
          const status = await agent.json<Status>(['status']);
          return status.policy.errors.length > 0 && status;
        },
        10_000,
        'the error is told',
      );
      expect(after.policy.version).toBe(before.policy.version);
      expect(after.policy.errors.join()).toMatch(/labels\.yaml:\d+/);
      expect((await agent.cli(['doctor'])).stdout).toMatch(/the one before stays in force/);
      expect((await agent.cli(['audit', 'tail'])).stdout).toMatch(/policy-change +- +refused/);
      mend();
      await waitUntil(
        async () => (await agent.json<Status>(['status'])).policy.errors.length === 0,
        10_000,
        'the mended set is in force',
      );
    } finally {
      await agent.dispose();
    }
  }, 60_000);
});
