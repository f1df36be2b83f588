/** Another process that has a file open for writing, until it is told to write and end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const SCRIPT = 'exec 3>>"$1"; printf %s "$2" >&3; echo open; read line; printf %s "$line" >&3';

export interface WritingChild {
  /** Appends `text` (one line), closes the file and ends. */
  write(text: string): Promise<void>;
}

/** Opens `path` for appending in a child, writes `first`, and keeps it open. */
export async function openInChild(path: string, first = ''): Promise<WritingChild> {
  const args = ['-c', SCRIPT, 'sh', path, first];
  const child = spawn('/bin/sh', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  return {
    write: async (text) => {
      const ended = once(child, 'close');
      child.stdin.end(`${text}\n`);
      await ended;
    },
  };
}
