/** `sealway protect DIR` and `sealway unprotect DIR [--unseal]`, with progress. Layer: cli. */
import { resolve } from 'node:path';
import type { ProgressEvent } from '../../contracts/local-api.js';
import type { Context } from '../context.js';
import { formatBytes } from '../output.js';

export interface ProtectOptions {
  readonly label?: string;
  readonly area?: string;
}

export async function protectFolder(
  context: Context,
  directory: string,
  options: ProtectOptions,
): Promise<void> {
  const path = resolve(directory);
  const body = { directory: path, ...pick(options) };
  const done = await context.agent.follow('protect', body, reporter(context));
  context.out.endProgress();
  context.out.value({ directory: path, sealed: done.sealed, skipped: done.skipped });
  context.out.line(
    `${path} is protected: ${String(done.sealed)} files sealed, ${String(done.skipped)} skipped.`,
  );
}

export async function unprotectFolder(
  context: Context,
  directory: string,
  options: { readonly unseal?: boolean },
): Promise<void> {
  const path = resolve(directory);
  const unseal = options.unseal === true;
  const done = await context.agent.follow(
    'unprotect',
    { directory: path, unseal },
    reporter(context),
  );
  context.out.endProgress();
  context.out.value({ directory: path, unsealed: done.sealed, skipped: done.skipped });
  context.out.line(
    unseal
      ? `${path} is no longer protected: ${String(done.sealed)} files are in the clear again.`
      : `${path} is no longer protected; its files stay sealed. Protect it again to work with them.`,
  );
}

function pick(options: ProtectOptions): ProtectOptions {
  return {
    ...(options.label === undefined ? {} : { label: options.label }),
    ...(options.area === undefined ? {} : { area: options.area }),
  };
}

/** Draws progress; findings (a file that was skipped, and why) are lines that stay. */
export function reporter({ out }: Context): (event: ProgressEvent) => void {
  return (event) => {
    if (event.type === 'progress') out.progress(progressLine(event));
    if (event.type === 'finding') {
      out.endProgress();
      out.warn(`${event.path}: ${event.detail} [${event.code}]`);
    }
  };
}

/** `120 of 200 files, 3.1 MiB of 5.0 MiB, 12.0 MiB/s, 1 s left`. */
export function progressLine(event: Extract<ProgressEvent, { type: 'progress' }>): string {
  const left = event.secondsLeft === null ? '' : `, ${String(Math.ceil(event.secondsLeft))} s left`;
  const files = `${String(event.filesDone)} of ${String(event.filesTotal)} files`;
  const bytes = `${formatBytes(event.bytesDone)} of ${formatBytes(event.bytesTotal)}`;
  return `${files}, ${bytes}, ${formatBytes(event.bytesPerSecond)}/s${left}`;
}
