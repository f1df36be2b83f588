/**
 * kill -9 of agent, sealfs, sessiond and the session at random moments of a write load.
 *
 * After each kill: what was acknowledged is there, the folder is back within two seconds, nothing
 * lies in the clear, the trail is whole and declares the gap. SEALWAY_TEST_LONG=1: a minute each.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { KillRig, isRunning, killHard } from '../support/kill-rig.js';
import { testSeed } from '../support/random.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { runProgram } from '../support/run-program.js';
import { waitUntil } from '../support/wait-until.js';

const LOAD_MS = process.env['SEALWAY_TEST_LONG'] === '1' ? 60_000 : 8_000;
const BACK_WITHIN_MS = 2_000;

/** What one kill is: returns how many milliseconds it took until a file opens in a session. */
type Kill = (rig: KillRig) => Promise<number[]>;

const killSealfs: Kill = async (rig) => {
  const atMs = await killHard(await rig.sealfsPid());
  await rig.readProbe(rig.worker);
  return [performance.now() - atMs];
};

const killAgent: Kill = async (rig) => {
  const atMs = performance.now();
  await rig.agent.kill();
  await rig.readProbe(rig.worker);
  const sameSession = performance.now() - atMs;
  await rig.startAgentAgain();
  return [sameSession];
};

async function inNewSession(rig: KillRig, atMs: number): Promise<number[]> {
  await rig.worker.gone;
  await rig.load.pause();
  await waitUntil(() => rig.opensAnew(), 20_000, 'a file opens in a new session');
  const backMs = performance.now() - atMs;
  rig.worker = await rig.newSession();
  return [backMs];
}

/** Its sessions end with it: none may go on that nobody watches. */
const killSessiond: Kill = async (rig) => {
  const pids = (await rig.sessions()).map(({ pid }) => pid ?? -1);
  const atMs = await killHard(rig.sessiondPid());
  await waitUntil(() => !pids.some(isRunning), 2_000, 'the sessions have ended');
  return inNewSession(rig, atMs);
};

const killSession: Kill = async (rig) => {
  const [session] = await rig.sessions();
  return inNewSession(rig, await killHard(session?.pid ?? -1));
};

describeWhere([missingRoot(), missingFuse()], 'killed under load', () => {
  let rig: KillRig;
  const seed = testSeed();

  beforeEach(async () => {
    rig = await KillRig.start(seed);
  }, 60_000);

  afterEach(async () => {
    await rig.dispose();
  }, 60_000);

  it.each([
    { victim: 'sealfs', kill: killSealfs, gap: { kind: 'gap', of: 'sealfs' } },
    { victim: 'agent', kill: killAgent, gap: { kind: 'gap', of: undefined } },
    { victim: 'sessiond', kill: killSessiond, gap: { kind: 'gap', of: 'sessiond' } },
    { victim: 'session', kill: killSession, gap: { kind: 'session-stop', of: undefined } },
  ])(
    '$victim: nothing acknowledged is lost, and the folder is back',
    async ({ victim, kill, gap }) => {
      const backMs: number[] = [];
      const wrong: string[] = [];
      for (const endsAt = Date.now() + LOAD_MS; Date.now() < endsAt;) {
        rig.load.run(rig.worker);
        await rig.aRandomWhile();
        backMs.push(...(await kill(rig)));
        await rig.load.pause();
        const reader = await rig.newSession();
        wrong.push(...(await rig.load.differences(reader)), ...rig.load.errors);
        await reader.end();
        await rig.load.settleAppends(rig.worker);
        if (wrong.length > 0) break;
      }
      report(victim, seed, backMs, rig);
      expect(wrong).toEqual([]);
      expect(Math.max(...backMs)).toBeLessThan(BACK_WITHIN_MS);
      const declared = (await rig.records()).filter(
        ({ kind, details }) => kind === gap.kind && details?.['of'] === gap.of,
      );
      expect(declared.length).toBeGreaterThanOrEqual(backMs.length);
      const verified = await rig.agent.cli(['audit', 'verify']);
      expect(verified).toMatchObject({ status: 0, stderr: '' });
      await rig.worker.end();
      await rig.agent.stop();
      expect(rig.plaintextAtRest()).toEqual([]);
    },
    LOAD_MS * 2 + 60_000,
  );

  it('the comparison finds one byte that is not as it was acknowledged', async () => {
    rig.load.run(rig.worker);
    await rig.aRandomWhile();
    await rig.load.pause();
    expect(await rig.load.differences(rig.worker)).toEqual([]);
    const path = join(rig.directory, 'waybills.db');
    await rig.worker.order({ act: 'overwrite', path, at: 70_000, text: '\u0001', length: 1 });
    expect(await rig.load.differences(rig.worker)).toEqual([
      expect.stringContaining('first other byte at 70000'),
    ]);
  }, 60_000);

  it('what programs outside write while no sealfs serves the folder is sealed', async () => {
    const script =
      'i=0; while [ $i -lt 4000 ]; do echo "$0" > "$1/out $i.txt"; i=$((i+1)); done 2>/dev/null';
    const writing = runProgram('/bin/sh', ['-c', script, rig.marker, rig.directory], {
      as: rig.user,
    });
    for (let kill = 0; kill < 3; kill++) {
      await killHard(await rig.sealfsPid());
      await rig.readProbe(rig.worker);
    }
    await writing;
    // What is unsealed is sealed after each new mount, beside everything else.
    const isSealed = (name: string): boolean =>
      readFileSync(join(rig.directory, name)).toString('latin1', 0, 8) === 'SEALWAY1';
    const written = (): string[] => readdirSync(rig.directory).filter((n) => n.startsWith('out '));
    expect(written().length).toBeGreaterThan(10);
    await waitUntil(() => written().every(isSealed), 10_000, 'all are sealed');
    await rig.agent.stop();
    expect(rig.plaintextAtRest()).toEqual([]);
  }, 60_000);
});

function report(victim: string, seed: number, backMs: readonly number[], rig: KillRig): void {
  const times = backMs.map((ms) => Math.round(ms)).join(', ');
  const { acknowledged, retried } = rig.load;
  process.stderr.write(
    `${victim}: seed ${String(seed)}, ${String(backMs.length)} kills, back after ${times} ms, ` +
      `${String(acknowledged)} operations acknowledged, ${String(retried)} begun anew\n`,
  );
}
