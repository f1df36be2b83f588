/** LibreOffice without a window: it converts and saves inside a protected folder, and is killed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { makeOds } from '#src/cli/demo/open-document.js';
import { makeDocx, makeXlsx } from '#src/cli/demo/office-open-xml.js';
import { AgentUnderTest, detachBelow } from '../support/agent-under-test.js';
import { looksSealed, missingLibreOffice, Office } from '../support/libreoffice.js';
import { newMarker } from '../support/office-samples.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';
import { DiskSearch } from '../support/search-disk.js';
import { ensureTestUser, type TestUser } from '../support/users.js';
import { waitUntil } from '../support/wait-until.js';

const LONG = process.env['SEALWAY_TEST_LONG'] === '1';
const KILLS = LONG ? 30 : 3;
const SAVER = readFileSync(new URL('../support/office-saver.py', import.meta.url), 'utf8');

/** A presentation of one slide. */
function makeFlatOdp(text: string): string {
  const names = ['office', 'draw', 'text', 'presentation'].map(
    (name) =>
      `xmlns:${name}="urn:oasis:names:tc:opendocument:xmlns:${name === 'draw' ? 'drawing' : name}:1.0"`,
  );
  const frame = `<draw:frame xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" svg:width="20cm" svg:height="3cm"><draw:text-box><text:p>${text}</text:p></draw:text-box></draw:frame>`;
  return `<?xml version="1.0" encoding="UTF-8"?><office:document ${names.join(' ')} office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.presentation"><office:body><office:presentation><draw:page draw:name="1">${frame}</draw:page></office:presentation></office:body></office:document>`;
}

describeWhere(
  [missingRoot(), missingFuse(), missingLibreOffice()],
  'LibreOffice without a window',
  () => {
    const marker = newMarker();
    let search: DiskSearch;
    let agent: AgentUnderTest;
    let user: TestUser;
    let office: Office;
    let directory: string;

    beforeAll(async () => {
      user = ensureTestUser('swtest1');
      directory = mkdtempSync(join(user.home, 'office-'));
      writeFileSync(join(directory, 'letter.docx'), makeDocx(['尊敬的客户', marker]));
      writeFileSync(join(directory, 'waybills.xlsx'), makeXlsx('运单', [['note', marker]]));
      writeFileSync(join(directory, 'prices.ods'), makeOds('Prices', [[marker, 1]]));
      writeFileSync(join(directory, 'talk.fodp'), makeFlatOdp(marker));
      execFileSync('chown', ['-R', `${String(user.uid)}:${String(user.gid)}`, directory]);
      agent = await AgentUnderTest.start({ protect: [directory], label: 'internal', area: 'main' });
      office = new Office(agent, user);
      search = new DiskSearch();
    }, 60_000);

    afterAll(async () => {
      await agent.dispose();
      await detachBelow(directory);
      rmSync(directory, { recursive: true, force: true });
      search.dispose();
    });

    it.each([
      { id: 'writer-docx-to-pdf', from: 'letter.docx', format: 'pdf', made: 'letter.pdf' },
      { id: 'writer-docx-to-odt', from: 'letter.docx', format: 'odt', made: 'letter.odt' },
      { id: 'calc-xlsx-to-ods', from: 'waybills.xlsx', format: 'ods', made: 'waybills.ods' },
      { id: 'calc-ods-to-xlsx', from: 'prices.ods', format: 'xlsx', made: 'prices.xlsx' },
      { id: 'impress-fodp-to-pptx', from: 'talk.fodp', format: 'pptx', made: 'talk.pptx' },
      { id: 'impress-pptx-to-odp', from: 'talk.pptx', format: 'odp', made: 'talk.odp' },
    ])(
      '$id',
      async ({ from, format, made }) => {
        const output = join(directory, made);
        const ran = await office.convert(join(directory, from), format, directory);

        expect(ran.status).toBe(0);
        expect(ran.stdout).toContain(made);
        expect(looksSealed(output)).toBe(true);
        expect(await textOf(output)).toContain(marker);
      },
      60_000,
    );

    /** What a document says, read inside a session. */
    async function textOf(file: string): Promise<string> {
      if (file.endsWith('.pdf')) return (await office.inSession(['pdftotext', file, '-'])).stdout;
      expect(await office.isWhole(file)).toBe(true);
      return (await office.inSession(['unzip', '-p', file, '*.xml'])).stdout;
    }

    it(
      'killed-while-saving-loses-nothing',
      async () => {
        const file = join(directory, 'letter.odt');
        for (let kill = 0; kill < KILLS; kill += 1) {
          const acknowledged = await saveUntilKilled(file, 200 + Math.random() * 1500);
          const content = await office.entry(file, 'content.xml');
          const begin = Number(/VERSION-(\d+)-BEGIN/u.exec(content)?.[1]);
          const end = Number(/VERSION-(\d+)-END/u.exec(content)?.[1]);

          expect(await office.isWhole(file)).toBe(true);
          expect(end).toBe(begin);
          // The last save may have been done without its number having been told.
          expect([acknowledged, acknowledged + 1]).toContain(begin);
        }
        const opened = await office.convert(file, 'txt', directory);
        expect(opened.stdout).toContain('letter.txt');
      },
      60_000 * KILLS,
    );

    /** @returns the number of the last save that was told before the session was killed. */
    async function saveUntilKilled(file: string, afterMs: number): Promise<number> {
      const saving = agent.spawnCli(['run', '--', 'python3', '-', file], { as: user });
      const told: string[] = [];
      saving.stdout?.on('data', (part: Buffer) => told.push(part.toString('utf8')));
      saving.stdin?.end(SAVER);
      await waitUntil(() => told.length > 0, 40_000, 'LibreOffice saves');
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      const closed = new Promise((resolve) => saving.once('close', resolve));
      for (const pid of await sessionPids()) process.kill(pid, 'SIGKILL');
      await closed;
      const numbers = told.join('').split('\n').slice(0, -1);
      return Number(numbers.at(-1));
    }

    async function sessionPids(): Promise<number[]> {
      const { sessions } = await agent.json<{ sessions: { argv: string[]; pid: number }[] }>([
        'sessions',
      ]);
      return sessions.filter(({ argv }) => argv[1] === '-').map(({ pid }) => pid);
    }

    it('every-file-of-the-folder-is-sealed', () => {
      const files = readdirSync(directory).map((name) => join(directory, name));
      expect(files.filter((file) => !looksSealed(file))).toEqual([]);
    });

    it('nothing-in-the-clear-anywhere', async () => {
      const { findings, filesRead, mounts } = await search.find([marker, '-BEGIN']);
      expect(findings).toEqual([]);
      expect(filesRead).toBeGreaterThan(0);
      expect(mounts).toContain('/');
    }, 120_000);
  },
);
