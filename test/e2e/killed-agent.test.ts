/**
 * What an agent that was killed leaves behind, and what the next one makes of it.
 *
 * Attack: the kernel gives the number of a mount namespace that has gone to the next one made. A
 * session that ends while no agent runs must not leave its plain view to whoever gets the number.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { KillRig, isRunning, killHard, processesOf } from '../support/kill-rig.js';
import { testSeed } from '../support/random.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import type { SessionWorker } from '../support/session-worker.js';
import { waitUntil } from '../support/wait-until.js';

const MAGIC = 'SEALWAY1';
/**
 * The kernel gives out the lowest free number: on a quiet machine the first try gets it. Whether it
 * does is not asserted where the number is free, since anybody's namespace may take it.
 */
const NAMESPACES = 40;

describeWhere([missingRoot(), missingFuse()], 'after the agent was killed', () => {
  let rig: KillRig;

  beforeEach(async () => {
    rig = await KillRig.start(testSeed());
  }, 60_000);

  afterEach(async () => {
    await rig.dispose();
  }, 60_000);

  it('a session saves before, while and after there is no agent', async () => {
    const saved = [await save(rig, 'before')];
    await rig.agent.kill();
    saved.push(await save(rig, 'while'));
    await rig.startAgentAgain();
    saved.push(await save(rig, 'after'));
    expect(saved).toEqual(['no retry', 'no retry', 'no retry']);
    expect(await rig.sessions()).toHaveLength(1);
    const reader = await rig.newSession();
    for (const name of ['before', 'while', 'after']) {
      expect(await contentIn(reader, join(rig.directory, name))).toContain(`${rig.marker} ${name}`);
    }
    await reader.end();
  }, 60_000);

  it('a session that ended meanwhile leaves its number to nobody', async () => {
    const view = await rig.worker.order({ act: 'view' });
    const number = String(view?.namespace);
    const [session] = await rig.sessions();
    await rig.agent.kill();
    await killHard(session?.pid ?? -1);
    await waitUntil(() => processesOf('sessiond', rig.agent.state).length === 0, 10_000, 'it ends');
    const without = readInNewNamespaces(rig);
    await rig.startAgentAgain();
    const afterwards = readInNewNamespaces(rig);
    expect(await rig.sessions()).toEqual([]);
    // With no agent sealfs holds the number; afterwards it is anybody's, and means nothing.
    expect(without.map((seen) => seen.number)).not.toContain(number);
    expect(new Set([...without, ...afterwards].map((seen) => seen.start))).toEqual(
      new Set([MAGIC]),
    );
  }, 60_000);

  it('an adopted session is forgotten when it ends, and is recorded', async () => {
    await rig.agent.kill();
    await rig.startAgentAgain();
    const [session] = await rig.sessions();
    await rig.worker.end();
    await waitUntil(async () => (await rig.sessions()).length === 0, 10_000, 'it is forgotten');
    expect(isRunning(session?.pid ?? -1)).toBe(false);
    const stops = (await rig.records()).filter(({ kind }) => kind === 'session-stop');
    expect(stops).toMatchObject([{ details: { adopted: true } }]);
    const seen = readInNewNamespaces(rig);
    expect(new Set(seen.map(({ start }) => start))).toEqual(new Set([MAGIC]));
  }, 60_000);

  it('a session gets the new mount when sealfs died too', async () => {
    const sealfs = await rig.sealfsPid();
    await rig.agent.kill();
    await killHard(sealfs);
    const saving = save(rig, 'across');
    await rig.startAgentAgain();
    expect(await saving).toBe('retried');
    await rig.readProbe(rig.worker);
    const reader = await rig.newSession();
    expect(await contentIn(reader, join(rig.directory, 'across'))).toContain(rig.marker);
    await reader.end();
  }, 60_000);

  it('a session gets the new mount when sealfs dies later', async () => {
    await rig.agent.kill();
    await rig.startAgentAgain();
    await killHard(await rig.sealfsPid());
    await rig.readProbe(rig.worker);
    expect(await save(rig, 'later')).not.toBe('lost');
  }, 60_000);

  it('a clean stop ends sessions with open files, own and adopted, and seals all', async () => {
    await rig.agent.kill();
    await rig.startAgentAgain();
    const own = await rig.newSession();
    const pids = (await rig.sessions()).map(({ pid }) => pid ?? -1);
    rig.load.run(own);
    await rig.aRandomWhile();
    rig.agent.process.kill('SIGTERM');
    expect(await rig.agent.exited).toBe(0);
    await rig.load.pause();
    expect(pids.filter(isRunning)).toEqual([]);
    expect(processesOf('sealfs', rig.agent.state)).toEqual([]);
    expect(rig.plaintextAtRest()).toEqual([]);
    await rig.startAgentAgain();
    const reader = await rig.newSession();
    expect(await rig.load.differences(reader)).toEqual([]);
    await reader.end();
  }, 60_000);
});

/** Saves a file inside the rig's session; how that went. */
async function save(rig: KillRig, name: string): Promise<'no retry' | 'retried' | 'lost'> {
  const path = join(rig.directory, name);
  const text = `${rig.marker} ${name} `;
  const answer = await rig.worker.order({ act: 'save', path, text, length: 30_000 });
  if (answer?.ok !== true) return 'lost';
  return (answer.tries ?? 0) > 0 ? 'retried' : 'no retry';
}

async function contentIn(reader: SessionWorker, path: string): Promise<string> {
  const answer = await reader.order({ act: 'content', path });
  return Buffer.from(answer?.base64 ?? '', 'base64').toString('latin1');
}

/** Reads the probe in fresh mount namespaces of the session's own user. */
function readInNewNamespaces(rig: KillRig): { number: string; start: string }[] {
  const script = `stat -L -c %i /proc/self/ns/mnt; head -c 8 "${rig.probe}"`;
  const { uid, gid } = rig.user;
  return Array.from({ length: NAMESPACES }, () => {
    const text = execFileSync('unshare', ['--user', '--mount', '/bin/sh', '-c', script], {
      ...{ uid, gid },
      encoding: 'latin1',
    });
    const [number = '', start = ''] = text.split('\n');
    return { number, start };
  });
}
