/**
 * From inside a sealed session: what can be written, seen and reached.
 *
 * The grant is the one that the agent builds, for a real user on the real host.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { viewHost } from '#src/agent/sessions/host-view.js';
import { sessionGrant } from '#src/agent/sessions/session-profile.js';
import type { SessionRequest } from '#src/contracts/sessiond.js';
import { describeWhere, missingRoot } from '../support/requirements.js';
import { SessiondUnderTest } from '../support/sessiond-under-test.js';
import { ensureTestUser, type TestUser } from '../support/users.js';

const APPLICATION = {
  id: 'test',
  network: 'none',
  dbus: [],
  display: { x11: true, wayland: true },
  readOnly: [],
  readWrite: [],
  limits: { processes: 64 },
} as const;

describeWhere([missingRoot()], 'the walls of a sealed session', () => {
  let sessiond: SessiondUnderTest;
  let user: TestUser;
  let home: string;
  let folder: string;
  let other: string;
  let profile: string;
  let hostShm: string;
  let agentState: string;
  const servers: Server[] = [];
  let tcpPort = 0;

  const grant = async (request: SessionRequest, stdio: 'pass' | 'none' = 'pass') => {
    const host = await viewHost({
      user,
      callerEnvironment: request.environment,
      places: [],
      hiddenDirectories: [agentState],
    });
    const served = (directory: string) => ({ directory, device: String(statSync(directory).dev) });
    return sessionGrant({
      sessionId: `walls-${String(request.id)}`,
      application: { ...APPLICATION, dbus: [], readOnly: [], readWrite: [] },
      user,
      argv: request.argv,
      cwd: request.cwd,
      callerEnvironment: request.environment,
      folders: [served(folder)],
      profile: served(profile),
      stdio,
      host,
      agentDirectories: [agentState],
    });
  };

  beforeAll(async () => {
    user = ensureTestUser('swtest1');
    home = mkdtempSync(join(user.home, 'walls-'));
    folder = join(home, 'Documents');
    other = join(home, 'Other');
    agentState = mkdtempSync(join(tmpdir(), 'sealway-state-'));
    profile = join('/var/lib', `sealway-profile-${String(process.pid)}`);
    hostShm = `/dev/shm/sealway-walls-${String(process.pid)}`;
    spawnSync('mkdir', ['-p', folder, other, profile, hostShm]);
    for (const path of [home, folder, other, profile, hostShm]) chownSync(path, user.uid, user.gid);
    writeFileSync(join(agentState, 'key'), 'agent-secret');
    spawnSync('chmod', ['-R', 'a+rX', agentState]);
    const listen = async (where: string | number): Promise<void> => {
      const server = createServer((peer) => peer.end('reached\n'));
      servers.push(server);
      await new Promise<void>((resolve) => {
        if (typeof where === 'number') server.listen(where, '127.0.0.1', resolve);
        else server.listen(where, resolve);
      });
      const address = server.address();
      if (address !== null && typeof address === 'object') tcpPort = address.port;
    };
    await listen(join(home, 'outside.sock'));
    spawnSync('chmod', ['777', join(home, 'outside.sock')]);
    await listen('\0sealway-walls');
    await listen(0);
    sessiond = await SessiondUnderTest.start();
    sessiond.answer = (request, process) => {
      void grant(request).then((session) => {
        process.grant(request.id, session);
      });
    };
  });
  afterAll(async () => {
    await sessiond.stop();
    for (const server of servers) server.close();
    for (const path of [home, agentState, profile, hostShm]) {
      rmSync(path, { recursive: true, force: true });
    }
  });

  const sh = (script: string) => sessiond.run(user, ['/bin/sh', '-c', script], { cwd: home });

  it.each([
    { id: 'home', path: () => join(user.home, 'leak') },
    { id: 'beside-the-folder', path: () => join(home, 'leak') },
    { id: 'other-folder', path: () => join(other, 'leak') },
    { id: 'media', path: () => '/media/leak' },
    { id: 'mnt', path: () => '/mnt/leak' },
    { id: 'var-lib', path: () => '/var/lib/leak' },
    { id: 'etc', path: () => '/etc/leak' },
    { id: 'by-dot-dot', path: () => join(folder, '../leak') },
    { id: 'by-proc-root', path: () => `/proc/1/root${home}/leak` },
    { id: 'by-proc-cwd', path: () => '/proc/self/cwd/leak' },
  ])('cannot write to $id', async ({ path }) => {
    const ran = await sh(`echo leak > ${path()}`);
    expect(ran.status).not.toBe(0);
    expect(existsSync(path())).toBe(false);
  });

  it.each([
    { id: 'host-shm', path: () => join(hostShm, 'leak') },
    { id: 'tmp', path: () => '/tmp/sealway-leak' },
    { id: 'var-tmp', path: () => '/var/tmp/sealway-leak' },
    { id: 'run', path: () => '/run/sealway-leak' },
    { id: 'runtime-directory', path: () => `/run/user/${String(user.uid)}/sealway-leak` },
  ])('what is written to $id stays inside', async ({ path }) => {
    await sh(`mkdir -p $(dirname ${path()}); echo leak > ${path()}`);
    expect(existsSync(path())).toBe(false);
  });

  it('writes to its folder and its profile arrive', async () => {
    const ran = await sh(
      `echo a > ${folder}/a && mkdir -p $XDG_CONFIG_HOME && echo b > $XDG_CONFIG_HOME/b`,
    );
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect([existsSync(join(folder, 'a')), existsSync(join(profile, 'config/b'))]).toEqual([
      true,
      true,
    ]);
    expect(statSync(join(folder, 'a')).uid).toBe(user.uid);
  });

  it('keeps the home as it is, and its own runtime directory private', async () => {
    const ran = await sh('echo $HOME; stat -c %a $XDG_RUNTIME_DIR; ls -A /run');
    expect(ran.stdout).toBe(`${user.home}\n700\nuser\n`);
  });

  it('does not see the agent’s directories', async () => {
    const ran = await sh(`ls -A ${agentState} | wc -l; cat ${agentState}/key`);
    expect(ran.stdout.trim()).toBe('0');
    expect(ran.stderr).toContain('No such file');
  });

  it.each([
    { id: 'umount-tmp', script: 'umount -l /tmp' },
    { id: 'umount-folder', script: () => `umount -l ${folder}` },
    { id: 'remount-root', script: 'mount -o remount,rw /' },
    { id: 'bind-over', script: 'mount --bind /tmp /mnt' },
    { id: 'new-user-namespace', script: 'unshare -Ur true' },
    { id: 'new-mount-namespace', script: 'unshare -m true' },
    { id: 'chroot', script: 'chroot /tmp true' },
    { id: 'setuid-program', script: 'su -c true < /dev/null' },
  ])('cannot undo it: $id', async ({ script }) => {
    const ran = await sh(typeof script === 'string' ? script : script());
    expect(ran.status).not.toBe(0);
  });

  const CONNECT = `
    const s = require('net').connect(process.argv[1].startsWith('{') ? JSON.parse(process.argv[1]) : process.argv[1]);
    s.setTimeout(3000, () => { console.log('timeout'); process.exit(); });
    s.on('data', (d) => { console.log(String(d).trim()); process.exit(); });
    s.on('error', (e) => { console.log(e.code); process.exit(); });`;

  it.each([
    { id: 'tcp-loopback', to: () => JSON.stringify({ host: '127.0.0.1', port: tcpPort }) },
    { id: 'abstract-socket', to: () => JSON.stringify({ path: '\0sealway-walls' }) },
    { id: 'path-socket', to: () => join(home, 'outside.sock') },
    { id: 'sessiond', to: () => sessiond.socket },
    { id: 'internet', to: () => JSON.stringify({ host: '192.0.2.1', port: 80 }) },
  ])('cannot reach $id', async ({ to }) => {
    const ran = await sessiond.run(user, [process.execPath, '-e', CONNECT, to()], { cwd: home });
    expect(ran.stdout.trim()).toMatch(/^(ECONNREFUSED|ENOENT|ENETUNREACH|EACCES|EPERM)$/u);
  });

  it('sees no processes but its own', async () => {
    const ran = await sh('ls /proc | grep -c "^[0-9]"');
    expect(Number(ran.stdout)).toBeLessThan(8);
  });

  it('cannot have more processes than granted', async () => {
    const script = 'i=0; while [ $i -lt 200 ]; do sleep 3 & i=$((i+1)); done; wait';
    const ran = await sh(script);
    expect(ran.stderr).toMatch(/fork|Resource temporarily unavailable/u);
  });

  it('prints nothing to the caller unless that is granted', async () => {
    const before = sessiond.answer;
    sessiond.answer = (request, process) => {
      void grant(request, 'none').then((session) => {
        process.grant(request.id, session);
      });
    };
    const ran = await sh('echo leak; echo leak >&2; exit 3');
    sessiond.answer = before;
    expect(ran).toMatchObject({ status: 3, stdout: '', stderr: '' });
  });

  it('does not get what is mounted later', async () => {
    const shared = mkdtempSync('/srv/sealway-shared-');
    const stick = join(shared, 'stick');
    spawnSync('mount', ['--bind', shared, shared]);
    spawnSync('mount', ['--make-shared', shared]);
    spawnSync('mkdir', [stick]);
    try {
      const script = `echo ready; sleep 1.5; touch ${stick}/leak && echo wrote`;
      const running = await sessiond.begin(user, ['/bin/sh', '-c', script]);
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'mode=1777', 'none', stick]);
      await sessiond.untilEnded(running.created.session);
      expect(existsSync(join(stick, 'leak'))).toBe(false);
    } finally {
      spawnSync('umount', ['-l', stick]);
      spawnSync('umount', ['-l', shared]);
      rmSync(shared, { recursive: true, force: true });
    }
  });
});
