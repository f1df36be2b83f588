/** The trail and the policy sets from the command line, whole and tampered with. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { expectOneLine } from '../support/one-line.js';
import { ProtectedFolder } from '../support/protected-folder.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { runProgram, type Ran } from '../support/run-program.js';

const CLI = new URL('../../dist/cli/main.js', import.meta.url).pathname;
const POLICIES = new URL('../../policies', import.meta.url).pathname;
const cli = (...args: string[]): Promise<Ran> => runProgram(process.execPath, [CLI, ...args]);

describeWhere([missingRoot(), missingFuse()], 'the trail from the command line', () => {
  let folder: ProtectedFolder;
  let copies: string;

  beforeAll(async () => {
    folder = await ProtectedFolder.start({ 'letter.txt': 'dear customer MARKER\n' });
    for (let n = 0; n < 3; n++) await folder.inside(['cat', folder.path('letter.txt')]);
    await folder.agent.stop();
    copies = mkdtempSync(join(tmpdir(), 'sealway-trails-'));
  }, 60_000);
  afterAll(async () => {
    await folder.dispose();
    rmSync(copies, { recursive: true, force: true });
  });

  /** A copy of the state whose trail `harm` has been at, past the triggers, as root would. */
  const tampered = (name: string, harm: (database: Database.Database) => void): string => {
    const state = join(copies, name);
    execFileSync('cp', ['-a', folder.agent.state, state]);
    const database = new Database(join(state, 'trail.db'));
    const triggers = database
      .prepare(`SELECT name FROM sqlite_master WHERE type = 'trigger'`)
      .all() as { name: string }[];
    for (const trigger of triggers) database.exec(`DROP TRIGGER ${trigger.name}`);
    harm(database);
    database.close();
    return state;
  };

  it('no document content and no marker is in the trail', () => {
    const bytes = readFileSync(join(folder.agent.state, 'trail.db'));
    expect(bytes.includes(folder.marker)).toBe(false);
  });

  it.each([
    {
      id: 'changed',
      problem: 'changed',
      sql: `UPDATE record SET body = replace(body, 'done', 'gone') WHERE seq = 5`,
    },
    { id: 'removed', problem: 'removed', sql: 'DELETE FROM record WHERE seq = 5' },
    {
      id: 'inserted',
      problem: '',
      sql: `UPDATE record SET seq = seq + 1000 WHERE seq >= 5; UPDATE record SET seq = seq - 999 WHERE seq >= 1000;
            INSERT INTO record SELECT 5, previous, hash, body FROM record WHERE seq = 4`,
    },
    {
      id: 'reordered',
      problem: '',
      sql: `UPDATE record SET seq = 9005 WHERE seq = 5; UPDATE record SET seq = 5 WHERE seq = 6; UPDATE record SET seq = 6 WHERE seq = 9005`,
    },
  ])(
    'a record that was $id: status 1, and the first bad sequence',
    async ({ id, problem, sql }) => {
      const state = tampered(id, (database) => database.exec(sql));
      const ran = await cli('--state', state, 'audit', 'verify');
      expect(ran.status).toBe(1);
      expect(ran.stderr).toMatch(
        new RegExp(`^sealway: The chain of records is broken\\. \\(record [45]: ${problem}`),
      );
      expect(ran.stdout).toContain('BROKEN');
    },
  );

  it('records cut off at the end: the signed head tells', async () => {
    const state = tampered('cut', (database) =>
      database.exec('DELETE FROM record WHERE seq > 5; DELETE FROM checkpoint WHERE seq > 5'),
    );
    const ran = await cli('--state', state, 'audit', 'verify', '--json');
    expect(ran.status).toBe(1);
    expect(ran.stderr).toMatch(/truncated/);
  });

  it('an agent that meets a broken trail says so in one line or goes on with a gap, never silently', async () => {
    const state = tampered('gone-on', (database) =>
      database.exec('DELETE FROM record WHERE seq = 5'),
    );
    const ran = await cli(
      '--state',
      state,
      'audit',
      'export',
      '--out',
      join(copies, 'broken.jsonl'),
    );
    const verified = await cli('audit', 'verify', join(copies, 'broken.jsonl'));
    expect(ran.status === 0 ? verified.status : ran.status).toBe(1);
  });

  it('an export verifies elsewhere, and a changed export does not', async () => {
    const out = join(copies, 'trail.jsonl');
    const exported = await cli('--state', folder.agent.state, 'audit', 'export', '--out', out);
    expect([exported.status, exported.stderr]).toEqual([0, '']);
    const whole = await cli('audit', 'verify', out);
    expect([whole.status, whole.stderr]).toEqual([0, '']);
    writeFileSync(out, readFileSync(out, 'utf8').replace('letter.txt', 'better.txt'));
    expect((await cli('audit', 'verify', out)).status).toBe(1);
  });

  it.each([
    { id: 'garbage', content: 'garbage', says: /not a trail/ },
    { id: 'an empty file', content: '', says: /sealway:/ },
    { id: 'a header alone', content: '{"type":"header"}\n', says: /sealway:/ },
  ])('verify of $id: one line', async ({ content, says }) => {
    const path = join(copies, 'thing');
    writeFileSync(path, content);
    expectOneLine(await cli('audit', 'verify', path), 1, says);
  });

  it('a wrong public key is found', async () => {
    const key = 'ab'.repeat(32);
    const ran = await cli('--state', folder.agent.state, 'audit', 'verify', '--public-key', key);
    expect(ran.status).toBe(1);
  });
});

describeWhere([], 'policy sets from the command line', () => {
  it.each(['baseline', 'express-delivery', 'lab'])('%s: check, test and explain', async (set) => {
    const check = await cli('policy', 'check', set);
    expect([check.status, check.stderr]).toEqual([0, '']);
    const test = await cli('policy', 'test', set);
    expect([test.status, test.stdout.includes('FAIL')]).toEqual([0, false]);
    const words = ['--operation', 'open', '--user', 'somebody', '--application', 'libreoffice'];
    const explain = await cli('policy', 'explain', set, ...words, '--label', 'internal', '--json');
    expect(JSON.parse(explain.stdout)).toMatchObject({
      decision: { verdict: expect.any(String) as unknown },
    });
  });

  it.each([
    {
      id: 'an unknown key',
      file: 'labels.yaml',
      text: 'labels:\n  - { name: public, barier: true }\n',
      says: /labels\.yaml:2:\d+: unknown key "barier"/,
    },
    { id: 'no YAML', file: 'folders.yaml', text: 'default: {\n', says: /folders\.yaml:\d+/ },
    {
      id: 'no Cedar',
      file: 'rules.cedar',
      text: '@id("x")\npermit (principal, action',
      says: /rules\.cedar:\d+/,
    },
    {
      id: 'a rule on what is not there',
      file: 'rules.cedar',
      text: '@id("x")\npermit (principal, action, resource) when { resource.colour == "red" };',
      says: /rules\.cedar:\d+/,
    },
    { id: 'a file of another kind', file: 'notes.exe', text: 'MZ', says: /notes\.exe/ },
  ])('check of a set with $id: status 1, file and line', async ({ file, text, says }) => {
    const set = mkdtempSync(join(tmpdir(), 'sealway-set-'));
    cpSync(join(POLICIES, 'baseline'), set, { recursive: true });
    writeFileSync(join(set, file), text);
    for (const command of ['check', 'test']) {
      const ran = await cli('policy', command, set);
      expect(ran.status).toBe(1);
      expect(ran.stderr).toMatch(says);
      expect(ran.stderr).not.toMatch(/\bat .*\.js:\d+:\d+/);
    }
    rmSync(set, { recursive: true });
  });

  it.each(['/nowhere', 'frobnicate', '/etc/hostname'])('check of %s: one line', async (set) => {
    expectOneLine(await cli('policy', 'check', set), 1, /no policy set at this place/);
  });

  it('a test that does not hold is named, and the status is 1', async () => {
    const set = mkdtempSync(join(tmpdir(), 'sealway-set-'));
    cpSync(join(POLICIES, 'baseline'), set, { recursive: true });
    const tests = join(set, 'tests.yaml');
    writeFileSync(
      tests,
      readFileSync(tests, 'utf8').replace(
        '{ verdict: allow, rules: [employees-run-listed] }',
        '{ verdict: deny }',
      ),
    );
    const ran = await cli('policy', 'test', set);
    rmSync(set, { recursive: true });
    expect(ran.status).toBe(1);
    expect(ran.stdout).toMatch(/FAIL {2}an employee runs a listed application/);
    expect(ran.stderr).toContain('an employee runs a listed application');
  });
});
