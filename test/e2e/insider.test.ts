/**
 * The employee who wants the data out, by way of the session's processes: under the real agent,
 * each way fails, and the trail says who looked at what.
 *
 * Not here: files and links (`insider-files.test.ts`), the agent's sockets
 * (`insider-sockets.test.ts`), a strict policy (`insider-baseline.test.ts`); every system call
 * against sessiond alone is in test/privileged/sessions-attacks.test.ts.
 */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ProtectedFolder } from '../support/protected-folder.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { waitUntil } from '../support/wait-until.js';

/** Holds the document in memory, as an open descriptor, a mapping and its working directory. */
const VICTIM = `
import mmap, os, sys, time
os.chdir(os.path.dirname(sys.argv[1]))
fd = os.open(sys.argv[1], os.O_RDWR)
mapping = mmap.mmap(fd, 0, flags=mmap.MAP_SHARED)
text = mapping[:]
open('/tmp/note', 'wb').write(text)
print('ready', flush=True)
time.sleep(600)
`;

/** ptrace(request, PID); fails with status 1 as the kernel refuses. */
const PTRACE =
  'import ctypes,sys; sys.exit(ctypes.CDLL(None).ptrace(int(sys.argv[1]), PID, 0, 0) != 0)';

describeWhere([missingRoot(), missingFuse()], 'an insider beside a session', () => {
  let folder: ProtectedFolder;
  let pid: string;

  beforeAll(async () => {
    folder = await ProtectedFolder.start({ 'letter.txt': 'dear customer MARKER\n' });
    await folder.begin(['python3', '-c', VICTIM, folder.path('letter.txt')]);
    const { sessions } = await folder.agent.json<{ sessions: { pid: number }[] }>(['sessions']);
    pid = String(await programIn(folder, sessions[0]?.pid ?? -1));
  }, 60_000);

  afterAll(async () => {
    await folder.dispose();
  });

  it.each([
    { id: 'root', script: 'cat /proc/PID/root/tmp/note' },
    { id: 'root-folder', script: 'cat /proc/PID/rootFILE' },
    { id: 'cwd', script: 'cat /proc/PID/cwd/letter.txt' },
    { id: 'cd-cwd', script: 'cd /proc/PID/cwd && cat letter.txt' },
    { id: 'fd', script: 'for n in 0 1 2 3 4 5; do cat /proc/PID/fd/$n; done' },
    { id: 'mem', script: 'head -c 65536 /proc/PID/mem' },
    { id: 'environ', script: 'cat /proc/PID/environ' },
    { id: 'maps', script: 'cat /proc/PID/maps' },
    { id: 'map-files', script: 'cat /proc/PID/map_files/*' },
    { id: 'task-root', script: 'cat /proc/PID/task/PID/root/tmp/note' },
    { id: 'nsenter-mount', script: 'nsenter -t PID -m cat FILE' },
    { id: 'nsenter-user-mount', script: 'nsenter -t PID -U -m cat FILE' },
    { id: 'nsenter-all', script: 'nsenter -a -t PID cat FILE' },
    { id: 'userns-nsenter', script: 'unshare -Ur nsenter -t PID -m cat FILE' },
    { id: 'userns-root', script: 'unshare -Urm cat /proc/PID/root/tmp/note' },
    { id: 'ptrace-seize', script: `python3 -c "${PTRACE}" 16902` },
    { id: 'ptrace-attach', script: `python3 -c "${PTRACE}" 16` },
  ])('$id gets nothing', async ({ script }) => {
    const command = script.replaceAll('PID', pid).replaceAll('FILE', folder.path('letter.txt'));
    const ran = await folder.attack(['sh', '-c', command]);
    expect(ran.stdoutBytes.includes(folder.marker)).toBe(false);
    expect(ran.status).not.toBe(0);
  });

  it.each([
    { id: 'own-mount-namespace', script: 'unshare -Urm cat FILE' },
    {
      id: 'bind-of-the-folder',
      script:
        'unshare -Urm sh -c "mkdir -p /tmp/b; mount --bind DIR /tmp/b; cat /tmp/b/letter.txt"',
    },
    {
      id: 'recursive-bind-of-the-parent',
      script:
        'unshare -Urm sh -c "mkdir -p /tmp/b; mount --rbind DIR/.. /tmp/b; cat /tmp/b/$(basename DIR)/letter.txt"',
    },
    {
      id: 'plain-bind-of-the-parent',
      script:
        'unshare -Urm sh -c "mkdir -p /tmp/b; mount --bind DIR/.. /tmp/b; cat /tmp/b/$(basename DIR)/letter.txt"',
    },
    { id: 'unmount', script: 'unshare -Urm sh -c "umount -l DIR; cat FILE"' },
    { id: 'unmount-by-fusermount', script: 'fusermount3 -u DIR; cat FILE' },
    {
      id: 'bubblewrap',
      script: 'bwrap --unshare-all --ro-bind / / --dev /dev --proc /proc cat FILE',
    },
    {
      id: 'bubblewrap-bind',
      script: 'bwrap --unshare-all --bind / / --dev /dev --bind DIR DIR --chdir DIR cat letter.txt',
    },
    { id: 'preload', script: 'LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libm.so.6 cat FILE' },
    { id: 'copied-executable', script: 'cp /usr/bin/cat ./cat; ./cat FILE' },
    { id: 'renamed-executable', script: 'cp /usr/bin/cat ./soffice.bin; ./soffice.bin FILE' },
    {
      id: 'executable-of-the-session',
      script: "exec -a soffice.bin /usr/bin/python3 -c \"print(open('FILE','rb').read())\"",
    },
  ])('$id sees the sealed view', async ({ script }) => {
    const command = script
      .replaceAll('DIR', folder.directory)
      .replaceAll('FILE', folder.path('letter.txt'));
    const ran = await folder.attack(['bash', '-c', command]);
    expect(ran.stdoutBytes.includes(folder.marker)).toBe(false);
  });

  it('control: those ways lead into an ordinary program of the user', async () => {
    const script = `sleep 5 & cat /proc/$!/environ >/dev/null && cat /proc/$!/root${folder.outside}/x`;
    const ran = await folder.attack(['sh', '-c', `echo found > x; ${script}`]);
    expect(ran.stdout).toBe('found\n');
    expect(Number(pid)).toBeGreaterThan(1);
  });

  it('control: the session itself sees the document', async () => {
    const ran = await folder.inside(['cat', folder.path('letter.txt')]);
    expect(ran.stdout).toContain(folder.marker);
  });

  it('a session in a namespace of its own making is no session', async () => {
    const script = `unshare -Urm cat ${folder.path('letter.txt')}`;
    const ran = await folder.inside(['sh', '-c', script]);
    expect(ran.stdout).not.toContain(folder.marker);
    expect(ran.status).not.toBe(0);
  });

  it.each(['LD_PRELOAD', 'LD_LIBRARY_PATH', 'LD_AUDIT', 'PYTHONPATH', 'PYTHONSTARTUP', 'BASH_ENV'])(
    '%s of the caller does not reach the program',
    async (name) => {
      writeFileSync(`${folder.outside}/evil.py`, 'print("evil")');
      const ran = await folder.agent.run(['/usr/bin/env'], {
        as: folder.user,
        env: { [name]: `${folder.outside}/evil.py` },
      });
      expect(ran.status).toBe(0);
      expect(ran.stdout).not.toContain(name);
    },
  );

  it('each look from outside is a record that names program, user and file', async () => {
    await folder.attack(['/usr/bin/head', '-c', '8', folder.path('letter.txt')]);
    const seen = await waitUntil(
      async () =>
        (await folder.trail()).find(
          ({ application, details }) =>
            application?.path === '/usr/bin/head' && details?.['view'] === 'sealed',
        ),
      10_000,
      'the look at the sealed view is in the trail',
    );
    expect(seen).toMatchObject({
      kind: 'operation',
      operation: 'open',
      user: { uid: folder.user.uid },
      object: { path: folder.path('letter.txt'), label: 'internal' },
      decision: { verdict: 'deny' },
    });
    expect(seen).not.toHaveProperty('session');
  });

  it('the copied executable is told by its own path', async () => {
    const paths = (await folder.trail()).map(({ application }) => application?.path);
    expect(paths).toContain(`${folder.outside}/soffice.bin`);
  });

  it('the trail verifies', async () => {
    const ran = await folder.agent.cli(['audit', 'verify']);
    expect(ran.status).toBe(0);
  });
});

/** The program of the session whose first process is `first`, as pids outside see it. */
async function programIn(folder: ProtectedFolder, first: number): Promise<number> {
  const ran = await folder.attack(['pgrep', '-P', String(first)]);
  const child = Number(ran.stdout.trim().split('\n')[0]);
  return child > 0 ? child : first;
}
