/**
 * The life of a sealed session: start, status, signals, ends of every kind, join and remount.
 */
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { nativeProgramPath } from '#src/native-bridge/native-programs.js';
import { SessiondProcess } from '#src/native-bridge/sessiond-process.js';
import { describeWhere, missingRoot } from '../support/requirements.js';
import { runProgram } from '../support/run-program.js';
import { SessiondUnderTest, grantFor, ownFolder } from '../support/sessiond-under-test.js';
import { ensureTestUser, type TestUser } from '../support/users.js';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describeWhere([missingRoot()], 'a session in service mode', () => {
  let sessiond: SessiondUnderTest;
  let user: TestUser;
  let standard: SessiondUnderTest['answer'];

  beforeAll(async () => {
    user = ensureTestUser('swtest1');
    sessiond = await SessiondUnderTest.start({ maxSessionsPerUser: 3 });
    standard = sessiond.answer;
  });
  afterEach(() => {
    sessiond.answer = standard;
    sessiond.letGo = true;
  });
  afterAll(async () => {
    await sessiond.stop();
  });

  it('is the user’s own, with the user’s groups and umask', async () => {
    const ran = await sessiond.run(user, ['/bin/sh', '-c', 'id -u; id -g; umask; pwd']);
    expect(ran.stdout).toBe(`${String(user.uid)}\n${String(user.gid)}\n0022\n${user.home}\n`);
    expect(sessiond.requests.at(-1)).toMatchObject({ uid: user.uid, gid: user.gid });
  });

  it.each([
    { id: 'zero', script: 'exit 0', status: 0 },
    { id: 'seven', script: 'exit 7', status: 7 },
    { id: 'killed', script: 'kill -KILL $$', status: 137 },
    { id: 'not-found', script: 'exec /nonexistent/program', status: 127 },
  ])('passes the exit status on: $id', async ({ script, status }) => {
    const ran = await sessiond.run(user, ['/bin/sh', '-c', script]);
    expect(ran.status).toBe(status);
  });

  it('hands standard input, output and error over', async () => {
    const args = ['--socket', sessiond.socket, '--', '/bin/sh', '-c', 'cat; echo done >&2'];
    const input = 'line\n'.repeat(50_000);
    const ran = await runProgram(nativeProgramPath('session-client'), args, { as: user, input });
    expect(ran.stdout.length).toBe(input.length);
    expect(ran.stderr).toBe('done\n');
  });

  it.each([
    { id: 'SIGINT', signal: 'SIGINT' as const, says: 'INT' },
    { id: 'SIGTERM', signal: 'SIGTERM' as const, says: 'TERM' },
    { id: 'SIGHUP', signal: 'SIGHUP' as const, says: 'HUP' },
    { id: 'SIGWINCH', signal: 'SIGWINCH' as const, says: 'WINCH' },
  ])('passes $id on', async ({ signal, says }) => {
    const script = `trap 'echo ${says}; exit 42' ${says}; echo ready; while :; do sleep 0.1; done`;
    const running = await sessiond.begin(user, ['/bin/sh', '-c', script]);
    let output = '';
    running.client.stdout?.on('data', (part: Buffer) => (output += part.toString('utf8')));
    running.client.kill(signal);
    const [status] = (await once(running.client, 'close')) as [number];
    expect([status, output.trim()]).toEqual([42, says]);
  });

  it('stops and goes on with the terminal’s signals', async () => {
    const running = await sessiond.begin(user, ['/bin/sh', '-c', 'echo ready; sleep 2; exit 9']);
    const stateOf = (option: string, pid: number): string =>
      spawnSync('ps', [option, String(pid), '-o', 'stat=']).stdout.toString();
    running.client.kill('SIGTSTP');
    const stopped = (): boolean =>
      stateOf('--pid', running.client.pid ?? 0).startsWith('T') &&
      stateOf('--ppid', running.created.pid).startsWith('T');
    for (let tries = 0; tries < 100 && !stopped(); tries += 1) await sleep(50);
    expect(stopped()).toBe(true);
    running.client.kill('SIGCONT');
    const [status] = (await once(running.client, 'close')) as [number];
    expect(status).toBe(9);
  });

  it('ends politely when its client dies', async () => {
    const folder = ownFolder(user, 'polite');
    sessiond.answer = (request, process) => {
      process.grant(request.id, grantFor(request, { binds: [folder.bind] }));
    };
    const script = `trap 'echo saved > ${folder.path}/saved; exit 0' TERM; echo ready; while :; do sleep 0.1; done`;
    const running = await sessiond.begin(user, ['/bin/sh', '-c', script]);
    running.client.kill('SIGKILL');
    await sessiond.untilEnded(running.created.session);
    expect(existsSync(join(folder.path, 'saved'))).toBe(true);
    rmSync(folder.path, { recursive: true });
  });

  it('is killed five seconds later when it does not listen', async () => {
    const running = await sessiond.begin(user, [
      '/bin/sh',
      '-c',
      "trap '' TERM; echo ready; while :; do sleep 0.1; done",
    ]);
    const before = Date.now();
    running.client.kill('SIGKILL');
    await sessiond.untilEnded(running.created.session);
    expect(Date.now() - before).toBeGreaterThan(4_500);
    expect(existsSync(`/proc/${String(running.created.pid)}`)).toBe(false);
  });

  it('outlives its client when it was started detached', async () => {
    const args = [
      '--socket',
      sessiond.socket,
      '--detach',
      '--',
      '/bin/sh',
      '-c',
      'sleep 1; exit 5',
    ];
    const ran = await runProgram(nativeProgramPath('session-client'), args, { as: user });
    expect(ran.status).toBe(0);
    const session = sessiond.created.at(-1)?.session ?? '';
    expect(await sessiond.untilEnded(session)).toMatchObject({ status: 5, error: null });
  });

  it('ends when the agent says so', async () => {
    const running = await sessiond.begin(user, ['/bin/sh', '-c', 'echo ready; sleep 60']);
    sessiond.process.kill(running.created.session);
    const [status] = (await once(running.client, 'close')) as [number];
    expect(status).toBe(143);
  });

  it('runs nothing before the agent lets it', async () => {
    sessiond.letGo = false;
    const folder = ownFolder(user, 'gate');
    sessiond.answer = (request, process) => {
      process.grant(request.id, grantFor(request, { binds: [folder.bind] }));
    };
    const ran = sessiond.run(user, ['/bin/sh', '-c', `echo x > ${folder.path}/ran`]);
    await once(sessiond.process, 'created');
    await sleep(500);
    expect(existsSync(join(folder.path, 'ran'))).toBe(false);
    sessiond.process.go(sessiond.created.at(-1)?.session ?? '');
    expect((await ran).status).toBe(0);
    expect(existsSync(join(folder.path, 'ran'))).toBe(true);
    rmSync(folder.path, { recursive: true });
  });

  it('is refused in the agent’s words', async () => {
    sessiond.answer = (request, process) => {
      process.refuse(request.id, { code: 'E_SESSION_REFUSED', message: 'not listed', ruleIds: [] });
    };
    const ran = await sessiond.run(user, ['/usr/bin/id']);
    expect(ran).toMatchObject({ status: 1, stdout: '', stderr: 'sealway: not listed\n' });
  });

  it('is refused within ten seconds when the agent is silent', async () => {
    sessiond.answer = () => undefined;
    const ran = await sessiond.run(user, ['/usr/bin/id']);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain('did not answer in time');
  });

  it('is refused when a folder is not the mount it should be', async () => {
    const folder = ownFolder(user, 'device');
    sessiond.answer = (request, process) => {
      const bind = { ...folder.bind, device: String(statSync('/proc').dev) };
      process.grant(request.id, grantFor(request, { binds: [bind] }));
    };
    const ran = await sessiond.run(user, ['/usr/bin/id']);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain('not mounted where it should be');
    rmSync(folder.path, { recursive: true });
  });

  it('says what bubblewrap said when a bind cannot be made', async () => {
    sessiond.answer = (request, process) => {
      const bind = { mode: 'ro' as const, source: '/nonexistent/x', target: '/mnt' };
      process.grant(request.id, grantFor(request, { binds: [bind], stdio: 'none' }));
    };
    const ran = await sessiond.run(user, ['/usr/bin/id']);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toMatch(/bwrap: .*nonexistent/u);
  });

  it('is one of a limited number for each user', async () => {
    const three = await Promise.all(
      [1, 2, 3]
        .map(async () => sessiond.run(user, ['/bin/sh', '-c', 'sleep 2']))
        .concat(sleep(1000).then(async () => sessiond.run(user, ['/usr/bin/id']))),
    );
    expect(three.map(({ status }) => status)).toEqual([0, 0, 0, 1]);
    expect(three[3]?.stderr).toContain('too many sealed sessions');
  });

  it('is joined by a second program of the same user, and by nobody else’s', async () => {
    const first = await sessiond.begin(user, [
      '/bin/sh',
      '-c',
      'echo hello > /tmp/inside; echo ready; sleep 30',
    ]);
    sessiond.answer = (request, process) => {
      process.join(request.id, {
        session: first.created.session,
        argv: request.argv,
        cwd: '/tmp',
        environment: { PATH: '/usr/bin:/bin' },
        stdio: 'pass',
      });
    };
    const script =
      'cat inside; id -u; grep -E "^(CapEff|CapBnd|Seccomp|NoNewPrivs):" /proc/self/status; ls /proc | grep -c "^[0-9]"; exit 6';
    const second = await sessiond.run(user, ['/bin/sh', '-c', script]);
    expect(second.status).toBe(6);
    expect(second.stdout.split('\n').slice(0, 2)).toEqual(['hello', String(user.uid)]);
    expect(second.stdout).toMatch(/CapEff:\s+0+\n/u);
    expect(second.stdout).toMatch(/Seccomp:\s+2\n/u);
    expect(second.stdout).toMatch(/NoNewPrivs:\s+1\n/u);
    const stranger = await sessiond.run(ensureTestUser('swtest2'), ['/bin/cat', '/tmp/inside']);
    expect(stranger).toMatchObject({ status: 1, stdout: '' });
    first.client.kill('SIGKILL');
    await sessiond.untilEnded(first.created.session);
  });

  it('gets the new mount of a folder whose file system died', async () => {
    const folder = ownFolder(user, 'remount');
    const mount = (): void => {
      const options = `mode=777,uid=${String(user.uid)}`;
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'none', folder.path]).status).toBe(
        0,
      );
    };
    mount();
    writeFileSync(join(folder.path, 'which'), 'old\n');
    try {
      sessiond.answer = (request, process) => {
        const bind = { ...folder.bind, device: String(statSync(folder.path).dev) };
        process.grant(request.id, grantFor(request, { binds: [bind] }));
      };
      const script = `echo ready; for i in $(seq 60); do cat ${folder.path}/which; sleep 0.1; done; touch ${folder.path}/wrote`;
      const running = await sessiond.begin(user, ['/bin/sh', '-c', script]);
      let output = '';
      running.client.stdout?.on('data', (part: Buffer) => (output += part.toString('utf8')));
      await sleep(300);
      spawnSync('umount', ['-l', folder.path]);
      mount();
      writeFileSync(join(folder.path, 'which'), 'new\n');
      const told = once(sessiond.process, 'remounted');
      sessiond.process.remount(running.created.session, folder.path);
      expect(await told).toMatchObject([{ ok: true, detail: '' }]);
      await sessiond.untilEnded(running.created.session);
      expect(output).toMatch(/^(old\n)+(new\n)+$/u);
      expect(existsSync(join(folder.path, 'wrote'))).toBe(true);
    } finally {
      spawnSync('umount', ['-l', folder.path]);
      rmSync(folder.path, { recursive: true });
    }
  });

  it('refuses to remount what was never granted', async () => {
    const running = await sessiond.begin(user, ['/bin/sh', '-c', 'echo ready; sleep 20']);
    const told = once(sessiond.process, 'remounted');
    sessiond.process.remount(running.created.session, '/etc');
    expect(await told).toMatchObject([{ ok: false, detail: 'the session has no such folder' }]);
    running.client.kill('SIGKILL');
    await sessiond.untilEnded(running.created.session);
  });

  it.each([
    { id: 'no-json', line: 'hello\n' },
    {
      id: 'no-descriptors',
      line: '{"type":"start","argv":["/usr/bin/id"],"cwd":"/","environment":{},"application":null,"files":[],"detached":false}\n',
    },
    { id: 'too-long', line: 'x'.repeat(1024 * 1024 + 10) },
    { id: 'nested', line: `${'['.repeat(100_000)}\n` },
  ])('answers nonsense with a refusal: $id', async ({ line }) => {
    const socket = connect(sessiond.socket);
    let answer = '';
    socket.on('data', (part) => (answer += part.toString('utf8')));
    socket.on('error', () => undefined);
    socket.write(line);
    await once(socket, 'close');
    expect(JSON.parse(answer)).toMatchObject({ type: 'refused' });
    expect((await sessiond.run(user, ['/bin/true'])).status).toBe(0);
  });
});

describeWhere([missingRoot()], 'sessiond itself', () => {
  it('goes on for its sessions when the agent has gone, and takes no more', async () => {
    const user = ensureTestUser('swtest1');
    const sessiond = await SessiondUnderTest.start();
    const running = await sessiond.begin(user, ['/bin/sh', '-c', 'echo ready; sleep 2; exit 3']);
    sessiond.process.disconnect();
    await sleep(300);
    const refused = await sessiond.run(user, ['/usr/bin/id']);
    expect(refused.status).toBe(1);
    const gone = once(sessiond.process, 'exit');
    const [status] = (await once(running.client, 'close')) as [number];
    expect(status).toBe(3);
    await gone;
    rmSync(sessiond.directory, { recursive: true });
  });

  it('says clearly that bubblewrap is missing', async () => {
    const ran = await runProgram(nativeProgramPath('sessiond'), [
      ...['--listen', '/tmp/sealway-no-bwrap.sock', '--control-fd', '9'],
      ...['--bwrap', '/nonexistent/bwrap'],
    ]);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toMatch(/\/nonexistent\/bwrap is not there.*install bubblewrap/u);
  });

  it('does not run a bubblewrap that others can change', async () => {
    const directory = mkdtempSync('/tmp/sealway-bwrap-');
    const copy = join(directory, 'bwrap');
    writeFileSync(copy, '#!/bin/sh\n');
    chmodSync(copy, 0o777);
    const args = ['--listen', join(directory, 's'), '--control-fd', '9', '--bwrap', copy];
    const ran = await runProgram(nativeProgramPath('sessiond'), args);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain('must belong to root');
    rmSync(directory, { recursive: true });
  });
});

describeWhere([missingRoot()], 'personal mode, as an ordinary user without root', () => {
  it('works, and says what is weaker', async () => {
    const user = ensureTestUser('swtest2');
    const directory = mkdtempSync('/tmp/sealway-personal-');
    const wrapper = join(directory, 'sessiond-as-user');
    const asUser = `--reuid ${user.name} --regid ${user.name} --init-groups`;
    writeFileSync(
      wrapper,
      `#!/bin/sh\nexec setpriv ${asUser} ${nativeProgramPath('sessiond')} "$@"\n`,
    );
    chmodSync(wrapper, 0o755);
    spawnSync('chown', ['-R', user.name, directory]);
    const started = await SessiondProcess.start({
      listenPath: join(directory, 's.sock'),
      personal: true,
      program: wrapper,
    });
    if (!started.ok) throw new Error(started.error.detail);
    const process = started.value;
    const folder = ownFolder(user, 'personal');
    process.on('request', (request) => {
      process.grant(request.id, grantFor(request, { binds: [folder.bind] }));
    });
    process.on('created', ({ session }) => {
      process.go(session);
    });
    process.on('ended', ({ session }) => {
      process.release(session);
    });
    const script = `id -u; echo x > ${folder.path}/in && touch ${user.home}/out; ls /sys/class/net; exit 4`;
    const args = ['--socket', join(directory, 's.sock'), '--', '/bin/sh', '-c', script];
    const ran = await runProgram(nativeProgramPath('session-client'), args, { as: user });
    expect(ran.status).toBe(4);
    expect(ran.stdout).toContain(String(user.uid));
    expect(ran.stderr).toContain('Read-only file system');
    expect(existsSync(join(folder.path, 'in'))).toBe(true);
    expect(process.describe()).toMatchObject({ mode: 'personal' });
    expect(process.describe().weaknesses).toContain('session-joinable');
    await process.stop();
    rmSync(directory, { recursive: true });
    rmSync(folder.path, { recursive: true });
  });
});
