/**
 * Looks for plaintext everywhere on this machine where bytes can rest.
 *
 * Layer: test support. Needs root. Every file system that stores something (disks, tmpfs, /dev/shm)
 * is bound, without what is mounted in it, in a mount namespace of the search's own: so the stored
 * bytes are read, also those below a sealfs mount, and never a plain view. Only files whose status
 * changed after the stamp are read; that time cannot be set back by a program.
 * Not here: what a marker looks like in each kind of file (`plaintext-forms.ts`).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { formsOf } from './plaintext-forms.js';
import { runProgram } from './run-program.js';

export interface Finding {
  readonly path: string;
  /** `bytes`, `utf-16`, or the way through containers: `zip content.xml: bytes`. */
  readonly how: string;
}

export interface SearchResult {
  readonly findings: readonly Finding[];
  readonly filesRead: number;
  readonly mounts: readonly string[];
}

/** File systems that hold what somebody put there; all others are the kernel's or FUSE's views. */
const STORING = /^(ext[234]|xfs|btrfs|f2fs|overlay|vfat|exfat|tmpfs|ramfs|devtmpfs)$/u;

export class DiskSearch {
  private readonly directory: string;
  private readonly stamp: string;

  /** Everything that changes from now on is looked at. */
  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'sealway-search-'));
    this.stamp = join(this.directory, 'stamp');
    writeFileSync(this.stamp, '');
    // The clock of a file system ticks: what is written within the stamp's tick must count.
    const before = (Date.now() - 100) / 1000;
    utimesSync(this.stamp, before, before);
  }

  /** All places at which one of `markers` lies in the clear. */
  async find(markers: readonly string[]): Promise<SearchResult> {
    const mounts = storingMounts();
    const view = await RawView.open(mounts, this.directory);
    try {
      const files = await view.changedSince(this.stamp);
      const findings: Finding[] = [];
      for (const { raw, path } of files) {
        for (const how of await formsIn(raw, markers)) findings.push({ path, how });
      }
      return { findings, filesRead: files.length, mounts };
    } finally {
      await view.close();
    }
  }

  dispose(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Mount points of all file systems that store something, each once. */
function storingMounts(): string[] {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [left = '', right = ''] = line.split(' - ');
      const point = (left.split(' ')[4] ?? '').replaceAll('\\040', ' ');
      return STORING.test(right.split(' ')[0] ?? '') ? [point] : [];
    });
  return [...new Set(points)].filter((point) => !/^\/(proc|sys)\//u.test(point));
}

/** The bound file systems, reached through the process that holds their mount namespace. */
class RawView {
  private readonly holder: ChildProcess;
  private readonly root: string;
  private readonly mounts: readonly string[];

  private constructor(holder: ChildProcess, root: string, mounts: readonly string[]) {
    this.holder = holder;
    this.root = root;
    this.mounts = mounts;
  }

  static async open(mounts: readonly string[], directory: string): Promise<RawView> {
    const mirror = join(directory, 'raw');
    mounts.forEach((_, index) => mkdirSync(join(mirror, String(index)), { recursive: true }));
    // The directory itself lies on one of them, so the way back in is cut by binding once only.
    const script =
      'i=0; for m; do mount --bind "$m" "$0/$i" || exit 1; i=$((i+1)); done; echo; exec cat';
    const holder = spawn('unshare', ['--mount', 'sh', '-c', script, mirror, ...mounts], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await new Promise((resolve, reject) => {
      createInterface({ input: holder.stdout }).once('line', resolve);
      holder.once('exit', () => {
        reject(new Error('the raw view of the disks could not be made'));
      });
    });
    return new RawView(holder, `/proc/${String(holder.pid)}/root${mirror}`, mounts);
  }

  /** Files with a path to read now and the path as the machine names it. */
  async changedSince(stamp: string): Promise<{ raw: string; path: string }[]> {
    const found: { raw: string; path: string }[] = [];
    for (const [index, mount] of this.mounts.entries()) {
      const top = join(this.root, String(index));
      const words = [`${top}/`, '-xdev', '-type', 'f', '-cnewer', stamp, '-printf', '%P\\0'];
      // find complains of files that vanish under it; those are none that rest.
      const listed = await runProgram('find', words, { timeoutMs: 120_000 });
      for (const path of listed.stdout.split('\0').filter((name) => name !== '')) {
        found.push({ raw: join(top, path), path: join(mount, path) });
      }
    }
    return found;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.holder.once('exit', resolve));
    this.holder.stdin?.end();
    await ended;
  }
}

const READ_WHOLE_BYTES = 64 << 20;

async function formsIn(path: string, markers: readonly string[]): Promise<string[]> {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return [];
  if (size > READ_WHOLE_BYTES) return formsInLarge(path, markers);
  try {
    return await formsOf(readFileSync(path), markers);
  } catch (cause) {
    // Gone since it was listed.
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
}

/** Too large to unpack; no office file of these tests comes near. */
async function formsInLarge(path: string, markers: readonly string[]): Promise<string[]> {
  const wide = markers.map((marker) => marker.split('').join('\\x00'));
  const pattern = [...markers, ...wide].join('|');
  const found = await runProgram('grep', ['-c', '-a', '-P', '-e', pattern, path], {
    timeoutMs: 120_000,
  });
  return found.status === 0 ? ['bytes of a large file'] : [];
}
