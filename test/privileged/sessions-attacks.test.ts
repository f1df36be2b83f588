/**
 * A program of the same user, outside, tries to get into a sealed session: each way is a row.
 *
 * Needs root to start sessiond. What remains possible on purpose (SIGKILL, SIGSTOP) is the last
 * suite; docs/known-limitations.md says so too.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nativeProgramPath } from '#src/native-bridge/native-programs.js';
import { describeWhere, missingRoot } from '../support/requirements.js';
import { runProgram } from '../support/run-program.js';
import { SessiondUnderTest, type RunningProgram } from '../support/sessiond-under-test.js';
import { ensureTestUser, type TestUser } from '../support/users.js';

/** Holds a secret in memory, environment, temporary file and an open descriptor. */
const VICTIM = `
  echo marker-in-tmp > /tmp/secret
  exec 9< /tmp/secret
  cd /tmp
  echo ready
  while :; do sleep 0.2; done
`;

describeWhere([missingRoot()], 'a sealed session from outside, same user', () => {
  let sessiond: SessiondUnderTest;
  let user: TestUser;
  let victim: RunningProgram;
  /** The first process in the session, bubblewrap outside it, and the program itself. */
  const targets: Record<string, number> = {};

  beforeAll(async () => {
    user = ensureTestUser('swtest1');
    sessiond = await SessiondUnderTest.start();
    victim = await sessiond.begin(user, ['/bin/sh', '-c', VICTIM]);
    const first = victim.created.pid;
    targets['first'] = first;
    targets['bubblewrap'] = parentOf(first);
    targets['program'] = childOf(first);
  });
  afterAll(async () => {
    victim.client.kill('SIGKILL');
    await sessiond.stop();
  });

  const attack = async (name: string, pid: number, argument?: string): Promise<string> => {
    const args = [name, String(pid), ...(argument === undefined ? [] : [argument])];
    const program = join(nativeProgramPath('sessiond'), '..', 'session_attacker');
    const ran = await runProgram(program, args, { as: user });
    expect(ran.status).toBe(0);
    return ran.stdout.trim();
  };

  const REFUSED = /^errno (EPERM|EACCES)$/u;
  const WAYS: readonly (readonly [id: string, attack: string, argument?: string])[] = [
    ['ptrace-attach', 'ptrace-attach'],
    ['ptrace-seize', 'ptrace-seize'],
    ['proc-mem-read', 'read', 'mem'],
    ['proc-mem-write', 'write-mem'],
    ['proc-environ', 'read', 'environ'],
    ['proc-maps', 'read', 'maps'],
    ['proc-smaps', 'read', 'smaps'],
    ['proc-numa-maps', 'read', 'numa_maps'],
    ['proc-auxv', 'read', 'auxv'],
    ['proc-pagemap', 'read', 'pagemap'],
    ['proc-io', 'read', 'io'],
    ['proc-syscall', 'read', 'syscall'],
    ['proc-personality', 'read', 'personality'],
    ['proc-exe-link', 'readlink', 'exe'],
    ['proc-exe-open', 'open', 'exe'],
    ['proc-root-link', 'readlink', 'root'],
    ['proc-root-file', 'open', 'root/tmp/secret'],
    ['proc-task-root-file', 'open', 'task/PID/root/tmp/secret'],
    ['proc-cwd-link', 'readlink', 'cwd'],
    ['proc-cwd-file', 'open', 'cwd/secret'],
    ['proc-cwd-openat', 'openat-cwd', 'secret'],
    ['proc-fd-link', 'readlink', 'fd/0'],
    ['proc-fd-open', 'open', 'fd/0'],
    ['proc-fdinfo-list', 'list', 'fdinfo'],
    ['proc-map-files', 'list', 'map_files'],
    ['ns-mnt-link', 'readlink', 'ns/mnt'],
    ['ns-user-setns', 'setns', 'user'],
    ['ns-mnt-setns', 'setns', 'mnt'],
    ['ns-pid-setns', 'setns', 'pid'],
    ['ns-net-setns', 'setns', 'net'],
    ['ns-by-pidfd', 'setns-pidfd'],
    ['pidfd-getfd', 'pidfd-getfd'],
    ['process-vm-readv', 'vm-read', '400000'],
    ['process-vm-writev', 'vm-write'],
    ['kcmp', 'kcmp'],
    ['perf-event', 'perf'],
    ['move-pages', 'move-pages'],
    ['core-limit-raised', 'core-limit'],
    ['proc-stack', 'read', 'stack'],
  ];
  const rows = ['program', 'first', 'bubblewrap'].flatMap((target) =>
    WAYS.map(([id, way, argument]) => ({ id: `${id}-of-${target}`, target, way, argument })),
  );

  it.each(rows)('$id is refused', async ({ target, way, argument }) => {
    const pid = targets[target] ?? -1;
    const said = await attack(way, pid, argument?.replace('PID', String(pid)));
    expect(said).toMatch(REFUSED);
  });

  it('control: the same attacks succeed on an ordinary program of the user', async () => {
    const plain = await runProgram('/bin/sh', ['-c', 'sleep 5 >/dev/null 2>&1 & echo $!'], {
      as: user,
    });
    const pid = Number(plain.stdout);
    const said = await Promise.all([
      attack('read', pid, 'environ'),
      attack('readlink', pid, 'root'),
      attack('ptrace-seize', pid),
      attack('kcmp', pid),
    ]);
    expect(said).toEqual(['succeeded', 'succeeded', 'succeeded', 'succeeded']);
  });

  it('nsenter is refused', async () => {
    const ran = await runProgram(
      'nsenter',
      ['--target', String(targets['program']), '--user', '--mount', 'cat', '/tmp/secret'],
      { as: user },
    );
    expect(ran.status).not.toBe(0);
    expect(ran.stdout).not.toContain('marker-in-tmp');
  });

  it('a user namespace of the attacker gives no way in', async () => {
    const pid = String(targets['program']);
    const script = `cat /proc/${pid}/root/tmp/secret; nsenter -t ${pid} -m cat /tmp/secret`;
    const ran = await runProgram('unshare', ['-Ur', '--mount', 'sh', '-c', script], { as: user });
    expect(ran.stdout).not.toContain('marker-in-tmp');
    expect(ran.status).not.toBe(0);
  });

  it('the temporary directory of the session is not the one outside', () => {
    expect(existsSync('/tmp/secret')).toBe(false);
  });

  it('the command line and options give nothing away but the program', () => {
    const line = readFileSync(`/proc/${String(targets['bubblewrap'])}/cmdline`, 'utf8');
    expect(line).not.toContain('--bind');
    expect(line).not.toContain('HOME=');
  });
});

describeWhere([missingRoot()], 'what the caller brings', () => {
  let sessiond: SessiondUnderTest;
  let user: TestUser;
  beforeAll(async () => {
    user = ensureTestUser('swtest1');
    sessiond = await SessiondUnderTest.start();
  });
  afterAll(async () => {
    await sessiond.stop();
  });

  it.each([
    { id: 'LD_PRELOAD', value: '/tmp/evil.so' },
    { id: 'LD_LIBRARY_PATH', value: '/tmp' },
    { id: 'LD_AUDIT', value: '/tmp/evil.so' },
    { id: 'GCONV_PATH', value: '/tmp' },
    { id: 'PYTHONSTARTUP', value: '/tmp/evil.py' },
  ])('$id does not reach the program', async ({ id, value }) => {
    // session-client itself obeys the loader, as any program of the user does; that is no breach.
    const ran = await sessiond.run(user, ['/usr/bin/env'], { env: { [id]: value, MARK: 'x' } });
    expect(ran.status).toBe(0);
    expect(ran.stdout).toContain('HOME=');
    expect(ran.stdout).not.toContain(id);
  });

  it('a core dump is neither written nor piped', async () => {
    const ran = await sessiond.run(user, ['/bin/sh', '-c', 'ulimit -Hc; cat /proc/self/limits']);
    expect(ran.stdout).toMatch(/Max core file size\s+1\s+1\s/u);
  });

  it('nobody takes a session in the name of another user', async () => {
    const args = ['--socket', sessiond.socket, '--user', '1', '--', '/usr/bin/id'];
    const ran = await runProgram(nativeProgramPath('session-client'), args, { as: user });
    expect(ran.status).toBe(1);
    expect(ran.stderr).toBe('sealway: Only root may name another user.\n');
  });

  it('root has no session of its own', async () => {
    const args = ['--socket', sessiond.socket, '--', '/usr/bin/id'];
    const ran = await runProgram(nativeProgramPath('session-client'), args);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain('name the user');
  });

  it('root may start one for a user, and it is that user’s', async () => {
    const args = ['--socket', sessiond.socket, '--user', String(user.uid), '--', '/usr/bin/id'];
    const ran = await runProgram(nativeProgramPath('session-client'), args, { cwd: user.home });
    expect(ran.stdout).toContain(`uid=${String(user.uid)}`);
    expect(sessiond.requests.at(-1)).toMatchObject({ uid: user.uid, gid: user.gid });
  });
});

describeWhere([missingRoot()], 'what a same-user program still can', () => {
  it('ends a session by SIGKILL, which reveals nothing', async () => {
    const user = ensureTestUser('swtest1');
    const sessiond = await SessiondUnderTest.start();
    try {
      const victim = await sessiond.begin(user, ['/bin/sh', '-c', 'echo ready; sleep 60']);
      await runProgram('/bin/kill', ['-KILL', String(victim.created.pid)], { as: user });
      const ended = await sessiond.untilEnded(victim.created.session);
      expect(ended.error).toBeNull();
    } finally {
      await sessiond.stop();
    }
  });
});

function parentOf(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/^PPid:\s*(\d+)$/mu.exec(status)?.[1]);
}

function childOf(pid: number): number {
  const children = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8');
  return Number(children.trim().split(' ')[0]);
}
