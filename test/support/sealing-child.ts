/** Seals a folder in a process of its own, which may be killed at any moment. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const DIST = join(import.meta.dirname, '../../dist');
const MODULE = pathToFileURL(join(DIST, 'agent/folders/seal-directory.js')).href;

/** Prints `sealed` for each file and the report's `ok` at the end; uses the tests' key. */
const PROGRAM = `
  import { sealDirectory } from ${JSON.stringify(MODULE)};
  const key = Uint8Array.from({ length: 32 }, (_, i) => i);
  const report = await sealDirectory(process.argv[1], {
    label: 'internal', area: 'dispatch', epoch: 1, deviceId: new Uint8Array(16),
    keyFor: () => ({ ok: true, value: new Uint8Array(key) }),
    onSealed: () => process.stdout.write('sealed\\n'),
  });
  process.stdout.write(JSON.stringify(report) + '\\n');
`;

/** How a child ended. */
export interface SealingEnd {
  readonly killed: boolean;
  readonly sealedFiles: number;
  /** The last line: the report, when the child came to its end. */
  readonly lastLine: string;
  readonly stderr: string;
}

/**
 * Seals `folder`; kills the child (SIGKILL) `killAfterMs` after it has reported `afterFiles` files.
 */
export async function sealInChild(
  folder: string,
  kill: { readonly afterFiles: number; readonly afterMs: number } | null,
): Promise<SealingEnd> {
  const args = ['--input-type=module', '-e', PROGRAM, folder];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: {} });
  let output = '';
  let stderr = '';
  let armed = kill !== null;
  child.stdout.on('data', (part: Buffer) => {
    output += part.toString('utf8');
    if (!armed || kill === null || countSealed(output) < kill.afterFiles) return;
    armed = false;
    setTimeout(() => child.kill('SIGKILL'), kill.afterMs);
  });
  child.stderr.on('data', (part: Buffer) => {
    stderr += part.toString('utf8');
  });
  const signal = await ended(child);
  const lastLine = output.trimEnd().split('\n').at(-1) ?? '';
  return { killed: signal === 'SIGKILL', sealedFiles: countSealed(output), lastLine, stderr };
}

async function ended(child: ChildProcess): Promise<unknown> {
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return signal;
}

function countSealed(output: string): number {
  return output.split('\n').filter((line) => line === 'sealed').length;
}
