/** kill -9 of the writing process at random moments: nothing acknowledged is lost, the gap is declared. */
import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { verifyTrailFile } from '#src/platform/trail-export.js';
import { openTrailForReading } from '#src/platform/trail-reader.js';

const SCRIPT = new URL('../support/record-load.mjs', import.meta.url).pathname;
const KILLS = 6;

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const keys = [
  privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
  publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex'),
];

/** Runs the load for `ms` after its first acknowledgement, kills it, returns what it had printed. */
async function loadAndKill(stateDir: string, ms: number): Promise<string[]> {
  const child = spawn(process.execPath, [SCRIPT, stateDir, ...keys], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    if (out === '') setTimeout(() => child.kill('SIGKILL'), ms);
    out += chunk.toString('utf8');
  });
  await new Promise((resolve) => child.once('close', resolve));
  return out.split('\n').slice(0, -1);
}

async function idBySeq(path: string): Promise<Map<string, string>> {
  const reader = await openTrailForReading(path);
  if (!reader.ok) throw new Error(reader.error.detail);
  const ids = new Map<string, string>();
  for await (const { seq, body } of reader.value.tail({ count: 1e9 })) {
    ids.set(String(seq), (JSON.parse(body) as { id: string }).id);
  }
  await reader.value.close();
  return ids;
}

describe('kill -9 of the trail writer under load', () => {
  it('keeps every acknowledged record and declares each gap', async () => {
    const stateDir = mkdtempSync(join(tmpdir(), 'sealway-crash-'));
    const path = join(stateDir, 'trail.db');
    const acknowledged: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      acknowledged.push(...(await loadAndKill(stateDir, Math.floor(Math.random() * 300))));
    }
    const killed = await verifyTrailFile(path);
    spawnSync(process.execPath, [SCRIPT, stateDir, ...keys, 'stop'], { timeout: 20_000 });
    const after = await verifyTrailFile(path);
    const ids = await idBySeq(path);
    rmSync(stateDir, { recursive: true });
    expect(acknowledged.length).toBeGreaterThan(KILLS);
    const lost = acknowledged.filter((line) => {
      const [seq = '', id] = line.split(' ');
      return ids.get(seq) !== id;
    });
    expect(lost).toEqual([]);
    expect(killed).toMatchObject({ value: { ok: true } });
    expect(after).toMatchObject({ value: { ok: true, gapCount: KILLS } });
    expect(after.ok && after.value.gaps.every(({ cause }) => cause === 'unclean-stop')).toBe(true);
    expect(after.ok && after.value.signedThrough).toBe(after.ok && after.value.lastSeq);
  }, 120_000);
});
