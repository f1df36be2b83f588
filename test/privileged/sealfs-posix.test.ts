/**
 * sealfs is a POSIX file system: whatever a session's program does in a protected folder has the
 * results, errno included, that it has on the bare file system beside it.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { testSeed } from '../support/random.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { runProgram } from '../support/run-program.js';
import { SealfsUnderTest, type SealfsSession } from '../support/sealfs-under-test.js';
import { ensureTestUser, type TestUser } from '../support/users.js';

const SCRIPT = join(import.meta.dirname, '../support/attackers/sealfs-posix.py');
const seed = testSeed();

/** The script knows its cases; none at all would be a suite that tests nothing. */
function casesOf(script: string): string[] {
  const listed = spawnSync('python3', [script, '--list'], { encoding: 'utf8' });
  const cases = JSON.parse(listed.stdout) as string[];
  if (cases.length < 30) throw new Error(`cases are missing: ${listed.stderr}`);
  return cases;
}

describeWhere([missingRoot(), missingFuse()], 'a session in a protected folder', () => {
  let sealfs: SealfsUnderTest;
  let session: SealfsSession;
  let user: TestUser;
  let other: TestUser;

  beforeAll(async () => {
    user = ensureTestUser('swtest1');
    other = ensureTestUser('swtest2');
    sealfs = await SealfsUnderTest.start();
    session = await sealfs.session(user);
  });
  afterAll(() => sealfs.dispose());

  /** An empty directory of the user's; with the other user's group and set-group-id for one case. */
  function workspace(below: string, name: string): string {
    const path = join(below, name);
    mkdirSync(path, { recursive: true });
    chownSync(path, user.uid, name === 'setgid' ? other.gid : user.gid);
    chmodSync(path, name === 'setgid' ? 0o2775 : 0o755);
    return path;
  }

  it.each(casesOf(SCRIPT).map((id) => ({ id })))(
    `does as the bare file system: $id (seed ${String(seed)})`,
    async ({ id }) => {
      const args = [id, String(seed)];
      const bare = workspace(join(sealfs.base, 'bare'), id);
      chmodSync(join(sealfs.base, 'bare'), 0o755);
      const [wanted, seen] = await Promise.all([
        runProgram('python3', [SCRIPT, ...args], { as: user, cwd: bare }),
        session.script('sealfs-posix.py', args, workspace(sealfs.folder, id)),
      ]);
      expect(wanted).toMatchObject({ status: 0, stderr: '' });
      expect(seen.stderr).toBe('');
      expect(JSON.parse(seen.stdout)).toEqual(JSON.parse(wanted.stdout));
    },
    60_000,
  );

  it('tells by fsync of a write that the store cannot hold', async () => {
    const script = [
      'import os',
      'fd = os.open("far.bin", os.O_RDWR | os.O_CREAT)',
      'os.write(fd, b"kept"); os.fsync(fd)',
      'try: os.pwrite(fd, b"x", 17 << 40); os.fsync(fd)',
      'except OSError as error: print("refused")',
      'os.ftruncate(fd, 4); print(os.pread(fd, 9, 0).decode())',
    ].join('\n');
    const ran = await session.run(['python3', '-c', script], sealfs.folder);
    expect(ran).toMatchObject({ stdout: 'refused\nkept\n', stderr: '' });
  });

  it.each([
    { id: 'user', name: 'user.sealway.label' },
    { id: 'trusted', name: 'trusted.sealway.x' },
    { id: 'security', name: 'security.sealway' },
  ])('keeps the extended attributes of sealfs to itself: $id', async ({ name }) => {
    const set = ['setfattr', '-n', name, '-v', '1', '.'];
    const ran = await session.run(set, sealfs.folder);
    expect(ran.stderr).toContain('Operation not permitted');
  });

  it('leaves nothing in the backing store but containers', async () => {
    await sealfs.unmount();
    const find = `find . -type f -size +0 -exec sh -c 'for f; do [ "$(head -c 8 "$f")" = SEALWAY1 ] || echo "$f"; done' _ {} +`;
    const found = await runProgram('sh', ['-c', find], { cwd: sealfs.folder });
    expect(found.stdout).toBe('');
  });
});
