/** The admin on a bad day, with folders: each wrong directory is one clear line, and nothing is lost. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { AgentUnderTest, makeStateDirectory } from '../support/agent-under-test.js';
import { expectOneLine } from '../support/one-line.js';
import { makeFolder, ProtectedFolder } from '../support/protected-folder.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { runProgram } from '../support/run-program.js';
import { waitUntil } from '../support/wait-until.js';

describeWhere([missingRoot(), missingFuse()], 'protecting the wrong thing', () => {
  let folder: ProtectedFolder;
  let parent: string;

  beforeAll(async () => {
    folder = await ProtectedFolder.start({ 'letter.txt': 'MARKER' });
    parent = makeFolder(folder.user, 'parent');
    mkdirSync(join(folder.directory, 'nested'));
    mkdirSync(join(parent, 'mounted'));
    writeFileSync(join(parent, 'file.txt'), 'as it was');
    symlinkSync(folder.directory, join(parent, 'link'));
    await runProgram('mount', ['-t', 'tmpfs', 'none', join(parent, 'mounted')]);
  }, 60_000);
  afterAll(async () => {
    await runProgram('umount', ['-l', join(parent, 'mounted')]);
    await folder.dispose();
    rmSync(parent, { recursive: true, force: true });
  });

  it.each([
    { id: '/etc', path: '/etc', says: /belongs to the system/ },
    { id: 'a directory below /etc', path: '/etc/ssl', says: /belongs to the system/ },
    { id: '/', path: '/', says: /belongs to the system/ },
    { id: '/home', path: '/home', says: /belongs to the system/ },
    { id: '/proc/self', path: '/proc/self', says: /belongs to the system/ },
    { id: 'a nested folder', path: 'FOLDER/nested', says: /lie in one another/ },
    { id: 'the folder that holds one', path: 'FOLDER/..', says: /lie in one another/ },
    { id: 'the state directory', path: 'STATE', says: /own state/ },
    { id: 'a directory within the state', path: 'STATE/spool', says: /own state/ },
    { id: 'a file', path: 'PARENT/file.txt', says: /is no directory/ },
    { id: 'a missing directory', path: 'PARENT/missing', says: /There is no such folder/ },
    { id: 'a directory with a mount inside', path: 'PARENT', says: /is mounted inside/ },
    { id: 'a device', path: '/dev/null', says: /is no directory|belongs to the system/ },
    { id: 'a name that is too long', path: `PARENT/${'x'.repeat(300)}`, says: /too long/ },
    { id: 'an empty name', path: '', says: /sealway:/ },
  ])('$id is refused in one line', async ({ path, says }) => {
    const place = path
      .replace('FOLDER', folder.directory)
      .replace('STATE', folder.agent.state)
      .replace('PARENT', parent);
    const ran = await folder.agent.cli(['protect', place]);
    expectOneLine(ran, 1, says);
  });

  it('protecting it once more changes nothing', async () => {
    const before = readFileSync(folder.path('letter.txt'));
    const ran = await folder.agent.cli(['protect', folder.directory]);
    expect(ran.status).toBe(0);
    expect(readFileSync(folder.path('letter.txt')).equals(before)).toBe(true);
  });

  it('a symbolic link to a protected folder means that folder', async () => {
    const ran = await folder.agent.cli(['protect', join(parent, 'link')]);
    expect(ran.status).toBe(0);
    expect(await folder.agent.json(['folders'])).toMatchObject({ folders: { length: 1 } });
  });

  it('a label that is not there is refused and names those that are', async () => {
    const ran = await folder.agent.cli(['protect', join(parent, 'mounted'), '--label', 'secret']);
    expectOneLine(ran, 2, /no label "secret"; it has public, internal/);
  });

  it('unprotecting what is not protected is refused in one line', async () => {
    expectOneLine(await folder.agent.cli(['unprotect', parent]), 1, /not a protected folder/);
  });

  it('unprotecting while a session holds a file is refused, and the folder stays guarded', async () => {
    const held = await folder.begin([
      ...['sh', '-c', `exec 9< ${folder.path('letter.txt')}; echo up; sleep 60`],
    ]);
    const ran = await folder.agent.cli(['unprotect', folder.directory]);
    expectOneLine(ran, 1, /files open|in use|busy/i);
    held.child.kill('SIGKILL');
    const inside = await folder.inside(['cat', folder.path('letter.txt')]);
    expect(inside.stdout).toBe(folder.marker);
  });

  it('nothing was lost on the way', async () => {
    expect(readFileSync(join(parent, 'file.txt'), 'utf8')).toBe('as it was');
    expect((await folder.inside(['cat', folder.path('letter.txt')])).stdout).toBe(folder.marker);
  });
});

describeWhere([missingRoot(), missingFuse()], 'starting an agent wrongly', () => {
  const start = async (options: Parameters<typeof AgentUnderTest.start>[0]): Promise<string> => {
    const started = await AgentUnderTest.start(options).catch((reason: unknown) => String(reason));
    if (typeof started === 'string') return started;
    await started.dispose();
    throw new Error('it started');
  };

  it('a second agent on the same state names the first and ends with 1', async () => {
    const first = await AgentUnderTest.start();
    try {
      const said = await start({ state: first.state });
      expect(said).toContain('ended with 1');
      expect(said).toContain(`process ${String(first.process.pid)} holds`);
      expect(said.trim().split('\n')).toHaveLength(2);
      expect((await first.cli(['status'])).status).toBe(0);
    } finally {
      await first.dispose();
    }
  });

  it('a state directory that is a file is refused in one line', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sealway-file-'));
    writeFileSync(join(directory, 'state'), 'x');
    const said = await start({ state: join(directory, 'state') });
    rmSync(directory, { recursive: true });
    expect(said).toContain('ended with 1');
    expect(said).toMatch(/state directory .*\[E_/);
  });

  it('a state directory that cannot be written is refused in one line', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sealway-ro-'));
    await runProgram('mount', ['-t', 'tmpfs', '-o', 'ro', 'none', directory]);
    try {
      const said = await start({ state: join(directory, 'state') });
      expect(said).toContain('ended with 1');
      expect(said).toMatch(/can only be read.*\[E_READ_ONLY\]/);
    } finally {
      await runProgram('umount', ['-l', directory]);
      rmSync(directory, { recursive: true });
    }
  });

  it('a folder of the list that is gone does not stop the others', async () => {
    const state = makeStateDirectory();
    const base = mkdtempSync(join(tmpdir(), 'sealway-two-'));
    for (const name of ['one', 'two']) mkdirSync(join(base, name));
    const first = await AgentUnderTest.start({
      state,
      protect: [join(base, 'one'), join(base, 'two')],
      label: 'internal',
      area: 'main',
    });
    await first.stop();
    rmSync(join(base, 'one'), { recursive: true });
    const second = await AgentUnderTest.start({ state });
    try {
      const { folders } = await second.json<{ folders: { directory: string; state: string }[] }>([
        'folders',
      ]);
      expect(Object.fromEntries(folders.map((one) => [one.directory, one.state]))).toEqual({
        [join(base, 'one')]: 'failed',
        [join(base, 'two')]: 'mounted',
      });
      const doctor = await second.cli(['doctor']);
      expect(doctor.stdout).toContain(`${join(base, 'one')} is not mounted`);
    } finally {
      await second.dispose();
      rmSync(base, { recursive: true, force: true });
    }
  });

  it('no sealfs: the folder stays sealed, and status, doctor and log say why', async () => {
    const base = mkdtempSync(join(tmpdir(), 'sealway-nofs-'));
    const native = mkdtempSync(join(tmpdir(), 'sealway-native-'));
    mkdirSync(join(base, 'folder'));
    writeFileSync(join(base, 'folder', 'letter.txt'), 'dear customer');
    const state = makeStateDirectory();
    const first = await AgentUnderTest.start({
      ...{ state, protect: [join(base, 'folder')], label: 'internal', area: 'main' },
    });
    await first.stop();
    const agent = await AgentUnderTest.start({ state, env: { SEALWAY_NATIVE_DIR: native } });
    try {
      const { folders } = await agent.json<{ folders: { state: string; detail: string }[] }>([
        'folders',
      ]);
      expect(folders).toMatchObject([{ state: 'failed' }]);
      expect(folders[0]?.detail).not.toBe('');
      const doctor = await agent.cli(['doctor']);
      expect(doctor.stdout).toContain('sealfs is not built');
      expect(agent.log.join('\n')).toContain('a folder is not guarded');
      const bytes = readFileSync(join(base, 'folder', 'letter.txt'));
      expect(bytes.subarray(0, 8).toString()).toBe('SEALWAY1');
    } finally {
      await agent.dispose();
      rmSync(base, { recursive: true, force: true });
      rmSync(native, { recursive: true, force: true });
    }
  });

  it('watched-folder: what is written is sealed, and doctor says that it is only watched', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sealway-watched-'));
    const agent = await AgentUnderTest.start({
      ...{ protect: [directory], label: 'internal', area: 'main', extra: ['--watched-folder'] },
    });
    try {
      const path = join(directory, 'letter.txt');
      writeFileSync(path, 'dear customer');
      await waitUntil(
        () => readFileSync(path).subarray(0, 8).toString() === 'SEALWAY1',
        20_000,
        'the file is sealed',
      );
      const { folders } = await agent.json<{ folders: unknown[] }>(['folders']);
      expect(folders).toMatchObject([{ engine: 'watched-folder', state: 'watched' }]);
      const { findings } = await agent.json<{ findings: { check: string; state: string }[] }>([
        'doctor',
      ]);
      expect(findings.find(({ check }) => check === 'open and save')?.state).toBe('watched');
      expect(findings.find(({ check }) => check === 'sealed sessions')?.state).toBe('not-possible');
      const out = join(directory, '..', 'watched-out.txt');
      expect((await agent.cli(['unseal', path, '--out', out])).status).toBe(0);
      expect(readFileSync(out, 'utf8')).toBe('dear customer');
      rmSync(out);
    } finally {
      await agent.dispose();
      rmSync(directory, { recursive: true, force: true });
    }
  }, 60_000);
});
