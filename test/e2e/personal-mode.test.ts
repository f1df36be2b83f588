/**
 * Personal mode: an ordinary user's agent with a real keyring, state in the user's home.
 *
 * The agent runs below dbus-run-session with gnome-keyring; everything else as in service mode.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { detachBelow } from '../support/agent-under-test.js';
import { newMarker } from '../support/office-samples.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { runProgram, type Ran } from '../support/run-program.js';
import { ensureTestUser, type TestUser } from '../support/users.js';

const ROOT = new URL('../..', import.meta.url).pathname;
const DESKTOP = join(ROOT, 'test/support/personal-agent.sh');

describeWhere([missingRoot(), missingFuse()], 'personal mode', () => {
  let user: TestUser;
  let home: string;
  let folder: string;
  let agent: ChildProcess;
  const log: string[] = [];
  const marker = newMarker();

  let fuseMode: number;

  beforeAll(async () => {
    // Everybody may open it on Debian (udev); in a container it is often root's alone.
    fuseMode = statSync('/dev/fuse').mode & 0o777;
    chmodSync('/dev/fuse', 0o666);
    user = ensureTestUser('swtest1');
    home = mkdtempSync(join(user.home, 'personal-'));
    folder = join(home, 'Documents');
    for (const name of ['Documents', 'run', 'data']) mkdirSync(join(home, name), { mode: 0o700 });
    writeFileSync(join(folder, 'letter.txt'), `dear customer ${marker}\n`);
    for (const name of ['', 'Documents', 'run', 'data', 'Documents/letter.txt']) {
      chownSync(join(home, name), user.uid, user.gid);
    }
    agent = spawn(
      'dbus-run-session',
      [
        ...['--', DESKTOP, process.execPath, join(ROOT, 'dist/agent/main.js')],
        ...['--state', join(home, 'state'), '--policy', 'lab'],
        ...['--protect', folder, '--label', 'internal', '--area', 'main'],
      ],
      {
        ...{ uid: user.uid, gid: user.gid, cwd: home, env: environment() },
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      },
    );
    for (const stream of [agent.stdout, agent.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => log.push(line));
    }
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: agent.stdio[3] as NodeJS.ReadableStream }).once('line', () => {
        resolve();
      });
      agent.once('exit', () => {
        reject(new Error(log.join('\n')));
      });
    });
  }, 60_000);

  afterAll(async () => {
    if (agent.exitCode === null) {
      const ended = new Promise((resolve) => agent.once('exit', resolve));
      const { stdout } = await cli(['status', '--json']);
      process.kill((JSON.parse(stdout) as { pid: number }).pid, 'SIGINT');
      await ended;
    }
    await detachBelow(home);
    chmodSync('/dev/fuse', fuseMode);
    rmSync(home, { recursive: true, force: true });
  }, 30_000);

  const environment = (): Record<string, string> => ({
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    LANG: 'C.UTF-8',
    XDG_DATA_HOME: join(home, 'data'),
    XDG_RUNTIME_DIR: join(home, 'run'),
  });

  const cli = (args: readonly string[], as: TestUser = user): Promise<Ran> =>
    runProgram(
      process.execPath,
      [join(ROOT, 'dist/cli/main.js'), '--state', join(home, 'state'), ...args],
      { as, env: environment() },
    );

  it('status says personal', async () => {
    const ran = await cli(['status', '--json']);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      mode: 'personal',
      folders: [{ directory: folder, state: 'mounted' }],
    });
  });

  it('the file is sealed for other programs of the same user', async () => {
    const ran = await runProgram('cat', [join(folder, 'letter.txt')], { as: user });
    expect(ran.stdout.slice(0, 8)).toBe('SEALWAY1');
    expect(ran.stdoutBytes.includes(marker)).toBe(false);
  });

  it('a session reads and writes the document', async () => {
    const path = join(folder, 'letter.txt');
    const ran = await cli(['run', '--', 'sh', '-c', `echo more >> ${path}; cat ${path}`]);
    expect([ran.stderr, ran.stdout]).toEqual(['', `dear customer ${marker}\nmore\n`]);
  });

  it('what the session wrote is sealed outside', async () => {
    const ran = await runProgram('cat', [join(folder, 'letter.txt')], { as: user });
    expect(ran.stdoutBytes.includes('more')).toBe(false);
  });

  it('a session writes nowhere else', async () => {
    const ran = await cli(['run', '--', 'sh', '-c', `echo x > ${home}/leak`]);
    expect(ran.stderr).toContain('Read-only file system');
  });

  it('the user is the administrator: protect and unprotect', async () => {
    const second = join(home, 'second');
    mkdirSync(second);
    chownSync(second, user.uid, user.gid);
    const words = ['protect', second, '--label', 'internal', '--area', 'main'];
    expect((await cli(words)).stderr).toBe('');
    expect((await cli(['unprotect', second, '--unseal'])).stderr).toBe('');
  });

  it('another user gets neither socket nor folder', async () => {
    const other = ensureTestUser('swtest2');
    expect((await cli(['status'], other)).status).toBe(1);
    const ran = await runProgram('cat', [join(folder, 'letter.txt')], { as: other });
    expect([ran.status, ran.stdout]).toEqual([1, '']);
  });

  it('doctor says what is weaker, and where the keys are', async () => {
    const ran = await cli(['doctor', '--json']);
    const { findings } = JSON.parse(ran.stdout) as {
      findings: { check: string; state: string; reason: string; nextStep: string | null }[];
    };
    expect(findings.find(({ check }) => check === 'sealed sessions')).toMatchObject({
      state: 'warning',
      reason: expect.stringContaining('another program of this account') as unknown,
      nextStep: expect.stringContaining('sudo') as unknown,
    });
    const keys = findings.find(({ check }) => check === 'keys');
    expect(keys?.reason).toMatch(/keychain|keyring|Secret Service/i);
  });

  it('keys do not lie in the state directory in the clear', () => {
    const ran = runProgram('grep', ['-rlaF', marker, home], { as: user });
    return expect(ran.then(({ stdout }) => stdout)).resolves.toBe('');
  });

  it('the trail verifies', async () => {
    expect((await cli(['audit', 'verify'])).status).toBe(0);
    expect(readFileSync(join(home, 'state', 'trail.db')).includes(marker)).toBe(false);
  });
});
