/**
 * The same path, read by every way at once from inside and outside while a session rewrites it:
 * never one byte of the wrong view.
 *
 * 10,000 reads in all; 100,000 with SEALWAY_TEST_LONG=1.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { AgentUnderTest, detachBelow } from '../support/agent-under-test.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { runProgram, type Ran } from '../support/run-program.js';
import { ensureTestUser, type TestUser } from '../support/users.js';

const READER = new URL('../support/attackers/view-reader.py', import.meta.url).pathname;
const WRITER = new URL('../support/attackers/view-writer.py', import.meta.url).pathname;
const WAYS = ['read', 'pread', 'mmap-private', 'mmap-shared', 'sendfile', 'splice'] as const;
const READS = process.env['SEALWAY_TEST_LONG'] === '1' ? 100_000 : 10_000;
const READERS = 4;
/** 40 KiB: more than two chunks of the container, and no whole number of them. */
const BLOCKS = 2_560;
const DEADLINE_MS = 240_000;

interface Report {
  readonly reads: number;
  readonly byWay: Readonly<Record<string, number>>;
  readonly wrong: readonly unknown[];
  readonly sizes: number;
}

describeWhere([missingRoot(), missingFuse()], 'two views under load', () => {
  let agent: AgentUnderTest;
  let user: TestUser;
  let directory: string;
  let inside: Report[];
  let outside: Report[];
  let writes: number;

  beforeAll(async () => {
    user = ensureTestUser('swtest1');
    directory = mkdtempSync(join(user.home, 'views-'));
    const path = join(directory, '运单.xlsx');
    writeFileSync(path, 'PLAINVIEW-BLOCKA'.repeat(BLOCKS));
    for (const name of ['inside', 'outside']) mkdirSync(join(directory, name));
    execFileSync('chown', ['-R', `${String(user.uid)}:${String(user.gid)}`, directory]);
    agent = await AgentUnderTest.start({ protect: [directory], label: 'internal', area: 'main' });
    const stop = join(directory, 'inside', 'stop');
    const count = String(Math.ceil(READS / (2 * READERS)));
    const options = { as: user, timeoutMs: DEADLINE_MS };
    const readers = (view: string, scratch: string, start: Start): Promise<Ran>[] =>
      Array.from({ length: READERS }, () =>
        start(['python3', READER, path, view, count, join(directory, scratch)]),
      );
    const writer = agent.run(['python3', WRITER, path, String(BLOCKS), stop], options);
    const insiders = readers('plain', 'inside', (command) => agent.run(command, options));
    const outsiders = readers('sealed', 'outside', ([name = '', ...args]) =>
      runProgram(name, args, options),
    );
    const ran = await Promise.all([...insiders, ...outsiders]);
    await runProgram('touch', [stop], { as: user });
    inside = ran.slice(0, READERS).map(reportOf);
    outside = ran.slice(READERS).map(reportOf);
    writes = (JSON.parse((await writer).stdout) as { writes: number }).writes;
  }, DEADLINE_MS + 30_000);

  afterAll(async () => {
    await agent.dispose();
    await detachBelow(directory);
    rmSync(directory, { recursive: true, force: true });
  });

  it('reads-as-often-as-promised-while-the-document-is-rewritten', () => {
    const total = [...inside, ...outside].reduce((sum, { reads }) => sum + reads, 0);
    expect(total).toBeGreaterThanOrEqual(READS);
    expect(writes).toBeGreaterThan(20);
  });

  it.each([...WAYS, 'copy-file-range'])('uses-%s-on-both-sides', (way) => {
    for (const report of [...inside, ...outside]) expect(report.byWay[way]).toBeGreaterThan(0);
  });

  it('shows-a-session-nothing-but-the-document', () => {
    expect(inside.flatMap(({ wrong }) => wrong)).toEqual([]);
  });

  it('shows-an-outsider-nothing-but-the-container', () => {
    expect(outside.flatMap(({ wrong }) => wrong)).toEqual([]);
  });

  it('tells-each-side-the-size-that-it-then-reads', () => {
    expect([...inside, ...outside].map(({ sizes }) => sizes)).toEqual(
      Array.from({ length: 2 * READERS }, () => 0),
    );
  });

  it('leaves-the-document-whole', async () => {
    const path = join(directory, '运单.xlsx');
    const ran = await agent.run(['cat', path], { as: user });
    expect(ran.stdout).toMatch(/^(PLAINVIEW-BLOCK[A-Z])+$/);
  });

  it('leaves-a-trail-that-verifies', async () => {
    const report = await agent.json<{ ok: boolean }>(['audit', 'verify']);
    expect(report.ok).toBe(true);
  });
});

type Start = (command: readonly string[]) => Promise<Ran>;

function reportOf(ran: Ran): Report {
  if (ran.status !== 0) throw new Error(`a reader ended with ${String(ran.status)}: ${ran.stderr}`);
  return JSON.parse(ran.stdout) as Report;
}
