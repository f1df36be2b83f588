/**
 * What the kernel says is mounted, and taking away a mount whose sealfs has died.
 *
 * Layer: agent. Source: proc(5), /proc/self/mountinfo; umount(8), fusermount3(1).
 * Not here: mounting (sealfs does that itself).
 */
import { readFileSync } from 'node:fs';
import { succeed, fail, type Result } from '../../core/errors/result.js';
import { runProcess } from '../../platform/child-process.js';

/** One line of mountinfo, as far as it matters here. */
export interface MountEntry {
  readonly mountPoint: string;
  readonly fileSystem: string;
  readonly source: string;
}

/** Parses mountinfo text. Octal escapes (space, tab, newline, backslash) are resolved. */
export function parseMountInfo(text: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split('\n')) {
    const [before, after] = line.split(' - ');
    const mountPoint = before?.split(' ')[4];
    const [fileSystem, source] = after?.split(' ') ?? [];
    if (mountPoint === undefined || fileSystem === undefined || source === undefined) continue;
    entries.push({
      mountPoint: unescapeOctal(mountPoint),
      fileSystem,
      source: unescapeOctal(source),
    });
  }
  return entries;
}

/** The mounts of this process's namespace, in the order of mounting. */
export function readMountTable(): MountEntry[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** True when the topmost mount at `directory` is sealfs's, alive or dead. */
export function isSealfsMount(directory: string, table: readonly MountEntry[]): boolean {
  return table.findLast((entry) => entry.mountPoint === directory)?.fileSystem === 'fuse.sealfs';
}

/**
 * Detaches sealfs mounts at `directory` until none is left. Programs that hold files of a dead
 * mount keep getting ENOTCONN; what they had written durably is in the backing store.
 *
 * @returns `E_MOUNT_BUSY` with the tool's own words when the mount stays.
 */
export async function detachSealfs(directory: string): Promise<Result<number>> {
  let detached = 0;
  while (isSealfsMount(directory, readMountTable())) {
    const ended = await runProcess(...detachCommand(directory), {
      env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
    });
    if (!ended.ok) return ended;
    if (ended.value.code !== 0) {
      return fail('E_MOUNT_BUSY', `${directory}: ${ended.value.stderr.trim()}`);
    }
    detached += 1;
  }
  return succeed(detached);
}

function detachCommand(directory: string): [string, string[]] {
  if (process.getuid?.() === 0) return ['umount', ['--lazy', '--no-canonicalize', '--', directory]];
  return ['fusermount3', ['-u', '-z', '--', directory]];
}

function unescapeOctal(text: string): string {
  if (!text.includes('\\')) return text;
  const bytes = text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
  return bytes;
}
