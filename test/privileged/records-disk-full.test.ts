/** A full disk under the trail: refusals are answered, space returns, the gap is declared. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openWorkerBackend } from '#src/agent/records/worker-backend.js';
import { writeFileAtomic } from '#src/platform/atomic-file.js';
import { verifyTrailFile } from '#src/platform/trail-export.js';
import { systemClock } from '#src/platform/clock.js';
import { openEvent, openTestTrail, testSigner } from '../support/trail.js';

let mount = '';
beforeAll(() => {
  mount = mkdtempSync(join(tmpdir(), 'sealway-full-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', mount], {
    encoding: 'utf8',
  });
  if (mounted.status !== 0) throw new Error(`mount: ${mounted.stderr}`);
});
afterAll(() => {
  spawnSync('umount', ['-l', mount]);
  rmSync(mount, { recursive: true, force: true });
});

function fill(path: string): void {
  const { bavail, bsize } = statfsSync(mount);
  writeFileSync(path, Buffer.alloc(bavail * bsize));
}

describe('a full disk', () => {
  it('is answered, alarmed, declared, and over when space returns', async () => {
    const state = join(mount, 'state');
    mkdirSync(state);
    const alarms: string[] = [];
    const trail = await openTestTrail(state, {
      signer: testSigner(),
      clock: systemClock(),
      openBackend: openWorkerBackend,
      limits: { retryMs: 50 },
      onAlarm: ({ kind }) => alarms.push(kind),
    });
    await trail.append(openEvent(1));
    fill(join(mount, 'ballast'));
    let refused = 0;
    for (let at = 0; at < 400; at++) {
      const result = await trail.append(openEvent(at));
      if (!result.ok) {
        expect(result.error.code).toBe('E_RECORD_NOT_DURABLE');
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(0);
    expect(trail.status().stalled).toBe('E_DISK_FULL');
    rmSync(join(mount, 'ballast'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await trail.append(openEvent(999))).toMatchObject({ ok: true });
    await trail.close();
    const report = await verifyTrailFile(join(state, 'trail.db'));
    // Start, 1, 400 whether refused or not, the last one, gap, stop: nothing that waited was lost.
    expect(report).toMatchObject({
      value: { ok: true, records: 405, gaps: [{ cause: 'disk-full' }] },
    });
    expect(alarms).toEqual(['disk-full', 'recovered']);
  });

  it('leaves a file that is replaced as it was', async () => {
    const path = join(mount, 'kept');
    writeFileSync(path, 'old');
    const ballast = join(mount, 'ballast');
    fill(ballast);
    expect(await writeFileAtomic(path, Buffer.alloc(100_000))).toMatchObject({
      error: { code: 'E_DISK_FULL' },
    });
    rmSync(ballast);
    expect(spawnSync('ls', ['-A', mount], { encoding: 'utf8' }).stdout).not.toContain('.tmp');
    expect(spawnSync('cat', [path], { encoding: 'utf8' }).stdout).toBe('old');
  });
});
