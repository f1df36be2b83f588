/** LibreOffice with a window: open, edit, save, save as, lock, crash, recover. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { makeDocx } from '#src/cli/demo/office-open-xml.js';
import { AgentUnderTest, detachBelow } from '../support/agent-under-test.js';
import { Display } from '../support/display.js';
import { looksSealed, missingLibreOffice, Office } from '../support/libreoffice.js';
import { newMarker } from '../support/office-samples.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { DiskSearch } from '../support/search-disk.js';
import { ensureTestUser, type TestUser } from '../support/users.js';
import { waitUntil } from '../support/wait-until.js';

const TEST_MS = 120_000;
const AUTOSAVE = readFileSync(new URL('../support/office-autosave.py', import.meta.url), 'utf8');

describeWhere(
  [missingRoot(), missingFuse(), missingLibreOffice()],
  'LibreOffice with a window',
  () => {
    // Typed on a keyboard: letters and digits only, and a marker of its own for each way.
    const marker = newMarker().replace('-', '');
    const file = (name: string): string => join(directory, name);
    let search: DiskSearch;
    let agent: AgentUnderTest;
    let user: TestUser;
    let colleague: TestUser;
    let office: Office;
    let display: Display;
    let directory: string;

    beforeAll(async () => {
      user = ensureTestUser('swtest1');
      colleague = ensureTestUser('swtest2');
      directory = mkdtempSync('/home/office-');
      writeFileSync(file('letter.docx'), makeDocx(['尊敬的客户', 'Dear customer']));
      writeFileSync(file('note.docx'), makeDocx(['Another letter']));
      execFileSync('chown', ['-R', `${String(user.uid)}:${String(user.gid)}`, directory]);
      execFileSync('chmod', ['-R', 'a+rwX', directory]);
      agent = await AgentUnderTest.start({ protect: [directory], label: 'internal', area: 'main' });
      office = new Office(agent, user);
      await office.prepare();
      await office.convert(file('note.docx'), 'odt', directory);
      execFileSync('chmod', ['a+rw', file('note.odt')]);
      display = await Display.start(user);
      search = new DiskSearch();
    }, TEST_MS);

    // A killed LibreOffice offers recovery at the next start; each test begins without.
    afterEach(async () => {
      await office.kill();
      await office.prepare();
    });

    afterAll(async () => {
      await display.dispose();
      await agent.dispose();
      await detachBelow(directory);
      rmSync(directory, { recursive: true, force: true });
      search.dispose();
    });

    const lockOf = (name: string): string => file(`.~lock.${name}#`);

    it(
      'edits-and-saves-an-odt',
      async () => {
        const window = await office.open(display, file('note.odt'));
        await window.typeAtEnd(`${marker}A`);
        await saved(file('note.odt'), () => window.save());
        await window.quit();

        expect(await office.entry(file('note.odt'), 'content.xml')).toContain(`${marker}A`);
        expect(looksSealed(file('note.odt'))).toBe(true);
        const again = await office.open(display, file('note.odt'));
        await again.quit();
      },
      TEST_MS,
    );

    it(
      'keeps-the-format-of-a-docx',
      async () => {
        const window = await office.open(display, file('letter.docx'));
        await window.typeAtEnd(`${marker}B`);
        await saved(file('letter.docx'), async () => {
          await window.save();
          await window.keepFormat();
        });
        await window.quit();

        const text = await office.entry(file('letter.docx'), 'word/document.xml');
        expect(text).toContain(`${marker}B`);
        expect(text).toContain('尊敬的客户');
        expect(looksSealed(file('letter.docx'))).toBe(true);
      },
      TEST_MS,
    );

    /** Presses and waits until the file has been replaced and is whole. */
    async function saved(path: string, press: () => Promise<void>): Promise<void> {
      const before = existsSync(path) ? inode(path) : null;
      await press();
      const replaced = (): boolean => existsSync(path) && inode(path) !== before;
      await waitUntil(replaced, 20_000, `${path} has been saved`);
      await waitUntil(() => office.isWhole(path), 20_000, `${path} is whole`);
    }

    const inode = (path: string): string =>
      execFileSync('stat', ['-c', '%i', path], { encoding: 'utf8' });

    it(
      'saves-under-another-name',
      async () => {
        const window = await office.open(display, file('note.odt'));
        await window.typeAtEnd(`${marker}C`);
        await saved(file('copy.odt'), () => window.saveAs(file('copy.odt')));
        await window.quit();

        expect(await office.entry(file('copy.odt'), 'content.xml')).toContain(`${marker}C`);
        expect(await office.entry(file('note.odt'), 'content.xml')).not.toContain(`${marker}C`);
        expect(looksSealed(file('copy.odt'))).toBe(true);
      },
      TEST_MS,
    );

    it.each([
      { id: 'home', place: '' },
      { id: 'desktop', place: 'Desktop' },
    ])(
      'cannot-save-to-$id',
      async ({ place }) => {
        const folder = join(user.home, place);
        if (place !== '') execFileSync('install', ['-d', '-o', user.name, folder]);
        const window = await office.open(display, file('note.odt'));
        await window.typeAtEnd(`${marker}D`);
        await window.saveAs(join(folder, 'leak.odt'));
        const error = await display.window('^Error');

        expect(error).toMatch(/^\d+$/u);
        expect(readdirSync(folder).filter((name) => /leak|^lu.*tmp$/u.test(name))).toEqual([]);
      },
      TEST_MS,
    );

    it(
      'locks-while-open',
      async () => {
        const window = await office.open(display, file('note.odt'));
        expect(existsSync(lockOf('note.odt'))).toBe(true);
        await window.quit();
        expect(existsSync(lockOf('note.odt'))).toBe(false);
      },
      TEST_MS,
    );

    it(
      'tells-a-colleague-who-has-it-open',
      async () => {
        await office.open(display, file('note.odt'));
        const theirs = await Display.start(colleague);
        const their = new Office(agent, colleague);
        try {
          await their.prepare();
          void agent.cli(['open', file('note.odt')], {
            as: colleague,
            env: theirs.environment,
            timeoutMs: TEST_MS,
          });
          expect(await theirs.window('^Document in Use')).toMatch(/^\d+$/u);
        } finally {
          await their.kill();
          await theirs.dispose();
        }
      },
      TEST_MS,
    );

    it(
      'opens-a-second-file-in-the-running-instance',
      async () => {
        await office.open(display, file('note.odt'));
        const [first] = await office.sessions();
        const second = await office.open(display, file('letter.docx'));

        expect(await office.sessions()).toEqual([first]);
        expect((await second.ended)?.status).toBe(0);
        expect(await display.windows('LibreOffice Writer')).toHaveLength(2);
      },
      TEST_MS,
    );

    it(
      'recovers-what-was-typed-before-a-crash',
      async () => {
        const window = await office.open(display, file('note.odt'));
        await window.typeAtEnd(`${marker}E`);
        await window.settle();
        await office.crash();
        // It offers to save what was open; it does so into the profile.
        await display.keys(await display.window('Document Recovery'), 'Return');
        const kept = await waitUntil(
          () => wholeFileIn(backup()),
          20_000,
          'a recovery file is there',
        );
        expect(looksSealed(kept)).toBe(true);
        expect(await office.entry(kept, 'content.xml')).toContain(`${marker}E`);
        await office.kill();

        await recoverAndSave('note.odt');
        expect(await office.entry(file('note.odt'), 'content.xml')).toContain(`${marker}E`);
      },
      TEST_MS,
    );

    // LibreOffice autosaves when nobody has typed for a while: up to a minute and a half.
    if (process.env['SEALWAY_TEST_LONG'] === '1') {
      it(
        'recovers-what-was-autosaved-before-a-kill',
        async () => {
          const editing = agent.spawnCli(
            ['run', '--', 'python3', '-', file('note.odt'), `${marker}F`],
            { as: user, env: display.environment },
          );
          const ended = new Promise((resolve) => editing.once('close', resolve));
          editing.stdin?.end(AUTOSAVE);
          const listed = async (): Promise<boolean> =>
            (await office.settings()).includes('user/backup/note.odt_0.odt');
          await waitUntil(listed, 80_000, 'LibreOffice has autosaved');
          await office.kill();
          await ended;

          expect(
            readdirSync(backup()).filter((name) => !looksSealed(join(backup(), name))),
          ).toEqual([]);
          expect(await office.entry(file('note.odt'), 'content.xml')).not.toContain(`${marker}F`);
          await recoverAndSave('note.odt');
          expect(await office.entry(file('note.odt'), 'content.xml')).toContain(`${marker}F`);
        },
        TEST_MS,
      );
    }

    /** What a person does after a crash: opens the document again and says yes. */
    async function recoverAndSave(name: string): Promise<void> {
      void agent.cli(['open', file(name)], {
        as: user,
        env: display.environment,
        timeoutMs: TEST_MS,
      });
      const recovered = await office.recover(display, name);
      await saved(file(name), () => recovered.save());
    }

    const backup = (): string =>
      join(agent.state, 'profiles', String(user.uid), 'config/libreoffice/4/user/backup');

    async function wholeFileIn(folder: string): Promise<string | null> {
      const [name] = existsSync(folder) ? readdirSync(folder) : [];
      return name !== undefined && (await office.isWhole(join(folder, name)))
        ? join(folder, name)
        : null;
    }

    it('every-file-of-the-folder-is-sealed', () => {
      const files = readdirSync(directory).filter((name) => !name.startsWith('.~lock.'));
      expect(files.filter((name) => !looksSealed(file(name)))).toEqual([]);
    });

    it(
      'nothing-in-the-clear-anywhere',
      async () => {
        const { findings, filesRead, mounts } = await search.find([marker]);
        expect(findings).toEqual([]);
        expect(filesRead).toBeGreaterThan(0);
        expect(mounts).toContain('/');
      },
      TEST_MS,
    );
  },
);
