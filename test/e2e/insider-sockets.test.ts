/** The employee who wants the data out, by way of the agent's sockets, files and programs. */
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ProtectedFolder } from '../support/protected-folder.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { runProgram } from '../support/run-program.js';
import { ensureTestUser } from '../support/users.js';

const FORGER = new URL('../support/attackers/forge-messages.py', import.meta.url).pathname;

describeWhere([missingRoot(), missingFuse()], 'an insider at the sockets', () => {
  let folder: ProtectedFolder;
  let state: string;

  beforeAll(async () => {
    folder = await ProtectedFolder.start({ 'letter.txt': 'dear customer MARKER\n' });
    state = folder.agent.state;
    await folder.inside(['true']); // the profile folder exists from now on
  }, 60_000);
  afterAll(async () => {
    await folder.dispose();
  });

  const connect = (socket: string): readonly string[] => [
    'python3',
    '-c',
    'import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print("connected")',
    socket,
  ];

  it('cannot connect to a control socket of sealfs', async () => {
    const sockets = readdirSync(join(state, 'run', 'sealfs'));
    expect(sockets.length).toBeGreaterThan(0);
    for (const name of sockets) {
      const ran = await folder.attack(connect(join(state, 'run', 'sealfs', name)));
      expect(ran.stderr).toContain('PermissionError');
    }
  });

  it('cannot connect to the administrator’s socket', async () => {
    const ran = await folder.attack(connect(join(state, 'run', 'admin.sock')));
    expect(ran.stderr).toContain('PermissionError');
  });

  it('cannot connect to the socket of another user', async () => {
    const other = ensureTestUser('swtest2');
    const ran = await folder.attack(connect(join(state, 'run', String(other.uid), 'agent.sock')));
    expect(ran.stderr).toContain('PermissionError');
  });

  it.each(['spool', 'log', 'run/sealfs'])('cannot list %s', async (name) => {
    const ran = await folder.attack(['ls', join(state, name)]);
    expect(ran.status).not.toBe(0);
  });

  it('can read no file of the state directory', async () => {
    const names = readdirSync(state).filter((name) => /\.(db|json|cred|wal|shm)/.test(name));
    expect(names).toContain('trail.db');
    const ran = await folder.attack(['cat', ...names.map((name) => join(state, name))]);
    expect(ran.stdout).toBe('');
  });

  it('cannot put anything in the place of a socket', async () => {
    const own = join(state, 'run', String(folder.user.uid));
    const script = `rm -f ${own}/agent.sock; mv ${own} ${own}.x; touch ${own}/y ${state}/run/z; ls ${state}/run/session.sock`;
    await folder.attack(['sh', '-c', script]);
    expect(readdirSync(own)).toEqual(['agent.sock']);
  });

  it.each([
    { id: 'fd', script: 'for n in $(seq 0 20); do cat /proc/PID/fd/$n/*; done' },
    { id: 'cwd', script: 'ls /proc/PID/cwd/' },
    { id: 'root', script: 'ls /proc/PID/root/' },
    { id: 'environ', script: 'cat /proc/PID/environ' },
    { id: 'mem', script: 'head -c 100 /proc/PID/mem' },
    { id: 'maps', script: 'cat /proc/PID/maps' },
  ])('gets nothing of sealfs, sessiond or the agent through /proc: $id', async ({ script }) => {
    const pids = await runProgram('pgrep', ['-f', state]);
    const found = pids.stdout.trim().split('\n');
    expect(found.length).toBeGreaterThanOrEqual(3);
    for (const pid of found) {
      const ran = await folder.attack(['sh', '-c', `${script.replaceAll('PID', pid)} 2>/dev/null`]);
      expect([ran.stdout, ran.status === 0]).toEqual(['', false]);
    }
  });

  it.each([
    { id: 'protect', args: ['protect', '/home'] },
    { id: 'unprotect', args: ['unprotect', 'FOLDER', '--unseal'] },
  ])('may not $id: the line says who may', async ({ args }) => {
    const words = args.map((word) => (word === 'FOLDER' ? folder.directory : word));
    const ran = await folder.agent.cli(words, { as: folder.user });
    expect(ran.status).toBe(1);
    expect(ran.stderr).toMatch(/^sealway: .*administrator.* \[E_API_ROLE\]\n$/);
  });

  it('sees only sessions of the own', async () => {
    const other = ensureTestUser('swtest2');
    await folder.begin(['sh', '-c', 'echo up; sleep 60']);
    const answer = await folder.agent.json<{ sessions: unknown[] }>(['sessions'], { as: other });
    expect(answer.sessions).toEqual([]);
  });

  it('cannot run in the session of another user', async () => {
    const other = ensureTestUser('swtest2');
    const ran = await folder.agent.run(['cat', folder.path('letter.txt')], { as: other });
    expect(ran.stdoutBytes.includes(folder.marker)).toBe(false);
    expect(ran.status).not.toBe(0);
  });

  const START = {
    type: 'start',
    argv: ['/usr/bin/id'],
    cwd: '/',
    environment: {},
    application: null,
    files: [],
  };
  it.each([
    ['another uid', { ...START, uid: 0 }],
    ['a user of another name', { ...START, user: 0 }],
    ['a grant', { type: 'grant', id: 1, session: {} }],
    ['created', { type: 'created', id: 1, session: 'x', pid: 1, mountNamespace: '4026531840' }],
    ['go', { type: 'go', session: 'x' }],
    ['a join', { type: 'join', id: 1, session: { session: 'x', argv: ['/bin/sh'] } }],
    ['release', { type: 'release', session: 'x' }],
    ['no arguments', { ...START, argv: [] }],
    ['a zero byte', { ...START, argv: ['/bin/sh\u0000-c'] }],
    ['a relative directory', { ...START, cwd: '../../..' }],
    ['a signal without a session', { type: 'signal', number: 9 }],
    ['an array', []],
    ['no JSON', 'hello'],
    ['deep nesting', '['.repeat(100_000)],
    ['a line without an end', '@big'],
  ])('gets nothing from the session socket by a forged message: %s', async (_id, message) => {
    const line = typeof message === 'string' ? message : JSON.stringify(message);
    const ran = await folder.attack(['python3', FORGER, join(state, 'run', 'session.sock')], line);
    expect(ran.stderr).toBe('');
    const { answer } = JSON.parse(ran.stdout) as { answer: string };
    expect(answer).not.toContain('started');
    expect(answer).not.toContain('uid=');
  });

  it('leaves the session service working', async () => {
    const ran = await folder.inside(['cat', folder.path('letter.txt')]);
    expect(ran.stdout).toContain(folder.marker);
    expect(folder.agent.log.join('\n')).not.toContain('sessiond ended');
  });

  it.each([
    { id: 'another origin', path: 'status', headers: ['-H', 'Origin: https://evil.example'] },
    { id: 'an unknown kind', path: 'keys', headers: [] },
    { id: 'a GET', path: 'status', headers: ['-X', 'GET'] },
    { id: 'no JSON', path: 'status', headers: ['-d', '{'] },
    { id: 'unknown keys', path: 'status', headers: ['-d', '{"uid":0}'] },
    { id: 'a path in an unseal', path: 'unseal?name=x&path=/etc/shadow', headers: ['-d', 'x'] },
  ])('gets an error without a stack from the local API: $id', async ({ path, headers }) => {
    const socket = join(state, 'run', String(folder.user.uid), 'agent.sock');
    const json = headers[1]?.startsWith('{') === true || path === 'keys';
    const type = json ? 'application/json' : 'application/octet-stream';
    const ran = await folder.attack([
      ...['curl', '-s', '--unix-socket', socket, '-w', '\n%{http_code}', '-X', 'POST'],
      ...['-H', `Content-Type: ${type}`, ...headers, `http://sealway/v1/${path}`],
    ]);
    const [body = '', status = ''] = ran.stdout.split('\n');
    expect(Number(status)).toBeGreaterThanOrEqual(400);
    expect(JSON.parse(body)).toMatchObject({
      error: { code: expect.stringMatching(/^E_/) as unknown },
    });
    expect(body).not.toMatch(/\bat .*:\d+:\d+/);
  });

  it('control: the folder is as it was', () => {
    mkdirSync(join(folder.outside, 'still-writable'));
    expect(readFileSync(folder.path('letter.txt')).subarray(0, 8).toString()).toBe('SEALWAY1');
  });
});
