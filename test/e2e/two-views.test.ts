/** One path, two views: what a session sees, and what everybody else gets. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { AgentUnderTest, detachBelow } from '../support/agent-under-test.js';
import { newMarker, sha256, writeOfficeSamples, type Sample } from '../support/office-samples.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { ensureTestUser, type TestUser } from '../support/users.js';

const COUNT = 200;

describeWhere([missingRoot(), missingFuse()], 'a protected folder of 200 office files', () => {
  let agent: AgentUnderTest;
  let user: TestUser;
  let directory: string;
  let samples: Sample[];
  const marker = newMarker();

  beforeAll(async () => {
    user = ensureTestUser('swtest1');
    directory = mkdtempSync(join(user.home, 'courier-'));
    samples = writeOfficeSamples(directory, COUNT, marker);
    execFileSync('chown', ['-R', `${String(user.uid)}:${String(user.gid)}`, directory]);
    chownSync(directory, user.uid, user.gid);
    agent = await AgentUnderTest.start({ protect: [directory], label: 'internal', area: 'main' });
  }, 120_000);

  afterAll(async () => {
    await agent.dispose();
    await detachBelow(directory);
    rmSync(directory, { recursive: true, force: true });
  });

  it('opens-each-file-byte-identical-inside', async () => {
    const ran = await agent.run(['sha256sum', ...samples.map(({ path }) => path)], { as: user });
    expect(ran.stderr).toBe('');
    const sums = ran.stdout
      .trim()
      .split('\n')
      .map((line) => line.replace(/^\\/, '').slice(0, 64));
    expect(sums).toEqual(samples.map((sample) => sample.sha256));
  });

  it('shows-a-container-outside-whose-size-stat-tells-right', () => {
    for (const { path, bytes } of samples) {
      const seen = readFileSync(path);
      expect(seen.subarray(0, 8).toString('latin1')).toBe('SEALWAY1');
      expect(seen.length).toBe(statSync(path).size);
      expect(seen.length).toBeGreaterThan(bytes.length);
    }
  });

  it('shows-the-same-to-the-same-user-outside', () => {
    const first = samples[0];
    const outside = execFileSync('sha256sum', [first?.path ?? ''], {
      uid: user.uid,
      gid: user.gid,
    });
    expect(outside.toString().slice(0, 64)).toBe(sha256(readFileSync(first?.path ?? '')));
    expect(outside.toString().slice(0, 64)).not.toBe(first?.sha256);
  });

  it('keeps-owner-mode-and-time', () => {
    for (const { path } of samples) expect(statSync(path).uid).toBe(user.uid);
  });

  it('leaves-no-plaintext-at-rest', async () => {
    await agent.stop();
    const found = filesBelow(directory).filter((path) =>
      holdsPlaintext(readFileSync(path), marker),
    );
    expect(filesBelow(directory)).toHaveLength(COUNT);
    expect(found).toEqual([]);
  });
});

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The marker, or the magic of a ZIP or PDF where a document would begin. */
function holdsPlaintext(bytes: Buffer, marker: string): boolean {
  const start = bytes.subarray(0, 4).toString('latin1');
  return bytes.includes(marker) || start === 'PK\u0003\u0004' || start === '%PDF';
}
