/** `sealway open` under a shipped policy: the application by file type, one session a person. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { makeDocx, makeXlsx } from '#src/cli/demo/office-open-xml.js';
import { AgentUnderTest, detachBelow } from '../support/agent-under-test.js';
import { Display } from '../support/display.js';
import { missingLibreOffice, Office } from '../support/libreoffice.js';
import { newMarker } from '../support/office-samples.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { DiskSearch } from '../support/search-disk.js';
import { ensureTestUser, type TestUser } from '../support/users.js';

const TEST_MS = 120_000;

describeWhere(
  [missingRoot(), missingFuse(), missingLibreOffice()],
  'sealway open under the baseline policy',
  () => {
    const marker = newMarker();
    const file = (name: string): string => join(directory, name);
    let search: DiskSearch;
    let agent: AgentUnderTest;
    let user: TestUser;
    let office: Office;
    let display: Display;
    let directory: string;

    beforeAll(async () => {
      user = ensureTestUser('swtest1');
      directory = mkdtempSync(join(user.home, 'office-'));
      writeFileSync(file('letter.docx'), makeDocx(['尊敬的客户', marker]));
      writeFileSync(file('waybills.xlsx'), makeXlsx('运单', [['note', marker]]));
      writeFileSync(file('plan.unknown'), marker);
      execFileSync('chown', ['-R', `${String(user.uid)}:${String(user.gid)}`, directory]);
      agent = await AgentUnderTest.start({
        policy: 'baseline',
        protect: [directory],
        label: 'internal',
        area: 'main',
      });
      office = new Office(agent, user);
      display = await Display.start(user);
      search = new DiskSearch();
    }, TEST_MS);

    afterAll(async () => {
      await office.kill();
      await display.dispose();
      await agent.dispose();
      await detachBelow(directory);
      rmSync(directory, { recursive: true, force: true });
      search.dispose();
    });

    it(
      'opens-the-window',
      async () => {
        await office.open(display, file('letter.docx'));
        expect(await display.windows('^letter.docx - LibreOffice Writer')).toHaveLength(1);
        expect(await office.sessions()).toHaveLength(1);
      },
      TEST_MS,
    );

    it(
      'opens-a-second-file-in-the-same-session',
      async () => {
        const before = await office.sessions();
        const second = await office.open(display, file('waybills.xlsx'));

        expect(await second.ended).toMatchObject({ status: 0 });
        expect(await office.sessions()).toEqual(before);
        expect(await display.windows('LibreOffice (Writer|Calc)$')).toHaveLength(2);
      },
      TEST_MS,
    );

    it('has-no-application-for-an-unknown-type', async () => {
      const ran = await agent.cli(['open', file('plan.unknown')], { as: user });
      expect(ran.status).toBe(1);
      expect(ran.stderr).toContain('.unknown files');
    });

    it('lends-no-streams-to-a-session', async () => {
      const command = ['soffice', '--headless', '--cat', file('letter.docx')];
      const ran = await agent.run(command, { as: user });
      expect(`${ran.stdout}${ran.stderr}`).not.toContain(marker);
    });

    it(
      'saves-nothing-in-the-clear-anywhere',
      async () => {
        const { findings, filesRead } = await search.find([marker]);
        expect(findings).toEqual([]);
        expect(filesRead).toBeGreaterThan(0);
        expect(readFileSync(file('letter.docx')).includes(marker)).toBe(false);
      },
      TEST_MS,
    );
  },
);
