/** A device and trails for tests: real keys, a real database, the worker's code in this thread. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { DeviceSigner } from '#src/agent/records/checkpoint-keeper.js';
import { openTrail, type TrailOptions } from '#src/agent/records/open-trail.js';
import type { TrailWriter } from '#src/agent/records/trail-writer.js';
import { openInlineBackend } from '#src/agent/records/worker-backend.js';
import type { RecordEvent } from '#src/core/records/record.js';
import { manualClock } from '#src/platform/clock.js';

export function testSigner(device = 'd'.repeat(32)): DeviceSigner {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    device,
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex'),
    sign: (message) => sign(null, Buffer.from(message, 'utf8'), privateKey).toString('hex'),
  };
}

/** A directory that `remove` deletes with all that is in it. */
export function temporaryDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'sealway-test-'));
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

export function openEvent(number: number): RecordEvent {
  return {
    kind: 'operation',
    operation: 'open',
    user: { uid: 1000, name: 'employee' },
    object: { fileId: number.toString(16).padStart(32, '0'), path: `/w/${String(number)}.xlsx` },
    decision: { verdict: 'allow', obligations: [], ruleIds: ['r1'], policyVersion: '1' },
    outcome: 'done',
  };
}

/** Opens a trail in this thread; throws when it cannot. */
export async function openTestTrail(
  stateDir: string,
  options: Partial<TrailOptions> = {},
): Promise<TrailWriter> {
  const opened = await openTrail({
    stateDir,
    signer: testSigner(),
    openBackend: openInlineBackend,
    clock: manualClock(),
    ...options,
  });
  if (!opened.ok) throw new Error(`${opened.error.code}: ${opened.error.detail}`);
  return opened.value;
}

/** Opens a database with its triggers out of the way, as somebody who may write the file does. */
export function tamper(path: string, work: (database: Database.Database) => void): void {
  const database = new Database(path);
  const triggers = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    .pluck()
    .all() as string[];
  for (const name of triggers) database.exec(`DROP TRIGGER ${name}`);
  work(database);
  database.close();
}
