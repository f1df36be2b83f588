/**
 * Trails of each release, kept for ever and never regenerated: they verify, and go on.
 *
 * A folder is `trail-vN`: a database, its head file, an export. Too-new ones are refused
 * (test/corrupt/trail.test.ts).
 */
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { TrailRecordSchema } from '#src/contracts/record.js';
import { verifyTrailFile } from '#src/platform/trail-export.js';
import { openTrailForReading } from '#src/platform/trail-reader.js';
import { TrailStore } from '#src/agent/records/trail-store.js';
import { temporaryDirectory } from '../support/trail.js';

const here = new URL('.', import.meta.url).pathname;
const releases = readdirSync(here).filter((name) => name.startsWith('trail-v'));
if (releases.length === 0) throw new Error(`no trail-v* in ${here}`);

describe.each(releases)('%s', (release) => {
  // SQLite writes beside a database in WAL mode even to read it.
  const withCopy = async (work: (directory: string) => Promise<void>): Promise<void> => {
    const copy = temporaryDirectory();
    cpSync(join(here, release), copy.path, { recursive: true });
    await work(copy.path);
    copy.remove();
  };

  it.each(['trail.db', 'export.jsonl'])('%s verifies', async (name) => {
    await withCopy(async (directory) => {
      const report = await verifyTrailFile(join(directory, name));
      expect(report).toMatchObject({ value: { ok: true, lastSeq: 25, signedThrough: 25 } });
      expect(report.ok && report.value.gaps.map(({ cause }) => cause)).toEqual([
        'clock-forward',
        'clock-backward',
      ]);
    });
  });

  it('holds records of the contract', async () => {
    await withCopy(async (directory) => {
      const reader = await openTrailForReading(join(directory, 'trail.db'));
      if (!reader.ok) throw new Error(reader.error.detail);
      for await (const { body } of reader.value.tail({ count: 1000 })) {
        expect(TrailRecordSchema.safeParse(JSON.parse(body)).success).toBe(true);
      }
      await reader.value.close();
    });
  });

  it('opens for writing by this program', async () => {
    await withCopy(async (directory) => {
      const store = TrailStore.open(
        join(directory, 'trail.db'),
        '0123456789abcdef0123456789abcdef',
      );
      expect(store).toMatchObject({ ok: true });
      if (store.ok) store.value.close();
      await Promise.resolve();
    });
  });
});
