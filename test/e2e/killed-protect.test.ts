/** The agent is killed while it seals what lies in a folder: the next one goes on. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { AgentUnderTest, detachBelow, makeStateDirectory } from '../support/agent-under-test.js';
import { killHard, processesOf } from '../support/kill-rig.js';
import { newMarker, writeOfficeSamples, type Sample } from '../support/office-samples.js';
import { randomFrom, testSeed } from '../support/random.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { ensureTestUser, type TestUser } from '../support/users.js';
import { waitUntil } from '../support/wait-until.js';

const COUNT = 300;
const KILLS = 3;

describeWhere([missingRoot(), missingFuse()], 'protecting, killed in the middle', () => {
  let user: TestUser;
  let directory: string;
  let state: string;
  let samples: Sample[];
  let agent: AgentUnderTest | null = null;
  const random = randomFrom(testSeed());

  beforeEach(() => {
    user = ensureTestUser('swtest1');
    directory = mkdtempSync(join(user.home, 'protect-'));
    state = makeStateDirectory();
    samples = writeOfficeSamples(directory, COUNT, newMarker());
    execFileSync('chown', ['-R', `${String(user.uid)}:${String(user.gid)}`, directory]);
  });

  afterEach(async () => {
    await agent?.dispose();
    await detachBelow(directory);
    rmSync(directory, { recursive: true, force: true });
    rmSync(state, { recursive: true, force: true });
  }, 60_000);

  it('goes on at the next start, and no file is lost', async () => {
    const sealedAt: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const enough = sealedCount(samples) + Math.floor(10 + random() * 50);
      const start = AgentUnderTest.start({ state, ...(kill === 0 ? protecting(directory) : {}) });
      const ended = start.then(
        () => 'served',
        () => 'killed',
      );
      await waitUntil(() => sealedCount(samples) >= enough, 20_000, 'some files are sealed');
      await killHard(processesOf('node', state)[0] ?? -1);
      expect(await ended).toBe('killed');
      sealedAt.push(sealedCount(samples));
    }
    expect(sealedAt.at(-1)).toBeLessThan(COUNT);
    agent = await AgentUnderTest.start({ state });
    expect(sealedCount(samples)).toBe(COUNT);
    const ran = await agent.run(['sha256sum', ...samples.map(({ path }) => path)], { as: user });
    const sums = ran.stdout.trim().split('\n');
    expect(sums.map((line) => line.replace(/^\\/u, '').slice(0, 64))).toEqual(
      samples.map(({ sha256 }) => sha256),
    );
    expect((await agent.cli(['audit', 'verify'])).status).toBe(0);
  }, 120_000);
});

function protecting(directory: string): { protect: string[]; label: string; area: string } {
  return { protect: [directory], label: 'internal', area: 'main' };
}

function sealedCount(samples: readonly Sample[]): number {
  return samples.filter(({ path }) => readFileSync(path).toString('latin1', 0, 8) === 'SEALWAY1')
    .length;
}
