/** The native container tool, for cross reading. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { TEST_KEY } from './container-samples.js';

const SEALCTR = join(import.meta.dirname, '../../build/native/bin/sealctr');

/** Throws when the native build is missing: cross reading must not pass by not being done. */
export function requireSealctr(): void {
  if (!existsSync(SEALCTR)) throw new Error(`${SEALCTR} is not built: npm run build:native`);
}

export interface SealctrResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `sealctr`; the tests' key goes in by descriptor 3 when `withKey` is set. */
export async function sealctr(
  args: readonly string[],
  withKey: boolean = args[0] !== 'info',
): Promise<SealctrResult> {
  const child = spawn(SEALCTR, [...args], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (part: Buffer) => (stdout += part.toString('utf8')));
  child.stderr?.on('data', (part: Buffer) => (stderr += part.toString('utf8')));
  const keyPipe = child.stdio[3] as Writable;
  // A refusal may come before the key has been read.
  keyPipe.on('error', () => undefined);
  keyPipe.end(withKey ? Buffer.from(TEST_KEY).toString('hex') : '');
  const [status] = (await once(child, 'close')) as [number];
  return { status, stdout, stderr };
}
