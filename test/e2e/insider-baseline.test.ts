/**
 * The employee who wants the data out under a strict policy: the allowed application itself as the
 * way, and the commands that let a document go.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { makeDocx } from '#src/cli/demo/office-open-xml.js';
import { newMarker } from '../support/office-samples.js';
import { ProtectedFolder } from '../support/protected-folder.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { runProgram } from '../support/run-program.js';
import { waitUntil } from '../support/wait-until.js';

/** In the document's own markup: LibreOffice writes it out in the clear only when it can. */
const SECRET = newMarker();

describeWhere([missingRoot(), missingFuse()], 'an insider under the baseline policy', () => {
  let folder: ProtectedFolder;

  beforeAll(async () => {
    const letter = makeDocx(['Letter', SECRET]);
    folder = await ProtectedFolder.start(
      { 'letter.docx': letter, 'list.csv': `name\n${SECRET}\n` },
      { policy: 'baseline' },
    );
  }, 60_000);
  afterAll(async () => {
    await folder.dispose();
  });

  /** Every place where the user could have put it. */
  const expectNothingOutside = async (): Promise<void> => {
    const places = [
      folder.outside,
      folder.directory,
      '/tmp',
      '/var/tmp',
      '/dev/shm',
      folder.user.home,
    ];
    const found = await runProgram('grep', ['-rlaF', '--', SECRET, ...places]);
    expect(found.stdout).toBe('');
  };

  it.each([
    { id: 'cat', command: ['cat', 'FILE'] },
    { id: 'a shell', command: ['/bin/sh', '-c', 'cat FILE'] },
    { id: 'python3', command: ['python3', '-c', 'print(open("FILE").read())'] },
    { id: 'a copied executable', command: ['OUT/soffice.bin', '--cat', 'FILE'] },
    { id: 'a link to a listed executable', command: ['OUT/link', 'FILE'] },
    {
      id: 'another name of the application',
      command: ['--application', 'libreoffice', 'cat', 'FILE'],
    },
  ])('run refuses $id with one clear line, and records it', async ({ command }) => {
    await folder.attack(['sh', '-c', 'cp /usr/bin/cat soffice.bin; ln -sf /usr/bin/cat link']);
    const words = command.map((word) =>
      word.replaceAll('FILE', folder.path('list.csv')).replaceAll('OUT', folder.outside),
    );
    const args = words[0] === '--application' ? ['run', ...words] : ['run', '--', ...words];
    const ran = await folder.agent.cli(args, { as: folder.user });
    expect([ran.status, ran.stdout]).toEqual([1, '']);
    expect(ran.stderr).toMatch(/^sealway: .*(not in the application list|libreoffice).*\n$/);
    const refused = await waitUntil(
      async () =>
        (await folder.trail(5)).find(
          ({ kind, outcome }) => kind === 'session-start' && outcome === 'refused',
        ),
      5_000,
      'the refusal is recorded',
    );
    expect(refused).toMatchObject({ user: { uid: folder.user.uid } });
  });

  it('unseal asks for an approval, leaves no file, and is recorded', async () => {
    const out = join(folder.outside, 'letter.docx');
    const ran = await folder.agent.cli(
      ['unseal', folder.path('letter.docx'), '--out', out, '--reason', 'for a customer'],
      { as: folder.user },
    );
    expect(ran.status).toBe(1);
    expect(ran.stderr).toMatch(/^sealway: Policy asks for an approval first\. .*export-asks.*\n$/);
    expect(readdirSync(folder.outside)).not.toContain('letter.docx');
    const record = (await folder.trail(20)).find(({ operation }) => operation === 'export');
    expect(record).toMatchObject({
      outcome: 'refused',
      decision: { verdict: 'ask', ruleIds: ['export-asks'] },
      user: { uid: folder.user.uid },
    });
  });

  it('unseal of a file carried away is asked about as well', async () => {
    const carried = join(folder.outside, 'carried.docx');
    await folder.attack(['cp', folder.path('letter.docx'), carried]);
    expect(readFileSync(carried).subarray(0, 8).toString()).toBe('SEALWAY1');
    const ran = await folder.agent.cli(['unseal', carried, '--out', `${carried}.out`], {
      as: folder.user,
    });
    expect(ran.status).toBe(1);
  });

  it('soffice --cat writes nothing to the caller', async () => {
    const command = ['/usr/bin/soffice', '--headless', '--cat', folder.path('letter.docx')];
    const ran = await folder.agent.run(command, { as: folder.user, timeoutMs: 50_000 });
    expect(ran.stdoutBytes.includes(SECRET)).toBe(false);
    expect(ran.stderr).not.toContain(SECRET);
    expect(ran.stdout).toBe('');
  }, 60_000);

  it.each(['OUT', '/tmp', '/var/tmp', '/dev/shm', 'HOME'])(
    'soffice --convert-to a place outside (%s) leaves nothing there',
    async (place) => {
      const directory = place.replace('OUT', folder.outside).replace('HOME', folder.user.home);
      const ran = await folder.agent.run(
        [
          ...['/usr/bin/soffice', '--headless', '--convert-to', 'txt:Text', '--outdir', directory],
          folder.path('letter.docx'),
        ],
        { as: folder.user, timeoutMs: 50_000 },
      );
      expect(ran.stdout).toBe('');
      expect(readdirSync(directory)).not.toContain('letter.txt');
      await expectNothingOutside();
    },
    60_000,
  );

  it('control: the application can convert within the folder, and what it makes is sealed', async () => {
    await folder.agent.run(
      [
        ...[
          '/usr/bin/soffice',
          '--headless',
          '--convert-to',
          'txt:Text',
          '--outdir',
          folder.directory,
        ],
        folder.path('letter.docx'),
      ],
      { as: folder.user, timeoutMs: 50_000 },
    );
    const made = readFileSync(folder.path('letter.txt'));
    expect(made.subarray(0, 8).toString()).toBe('SEALWAY1');
    await expectNothingOutside();
  }, 60_000);

  it('a failed open from outside is a record', async () => {
    const path = folder.path('list.csv');
    await folder.attack(['python3', '-c', `open("${path}", "r+b")`]);
    const refused = await waitUntil(
      async () =>
        (await folder.trail(50)).find(
          ({ outcome, object }) => outcome === 'refused' && object?.path === path,
        ),
      10_000,
      'the refused open is in the trail',
    );
    expect(refused).toMatchObject({
      kind: 'operation',
      decision: { verdict: 'deny' },
      details: { errno: 'EACCES' },
    });
  });
});
