/**
 * Starting a sealed session, against plain bubblewrap with the same places and options.
 *
 * A B A B … in one run, medians, milliseconds from spawning the client (or bwrap) to the end of
 * /bin/true in it. Ours adds: the client, sessiond, two messages to an agent and back, the
 * root-owned namespace, the filter. The agent is this process, which grants at once.
 * Needs root; runs the programs as the user of `SEALWAY_BENCH_UID` (default 65534).
 * `--short` is for CI: function alone, no figure worth quoting.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionGrant } from '#src/contracts/sessiond.js';
import { nativeProgramPath } from '#src/native-bridge/native-programs.js';
import { SessiondProcess } from '#src/native-bridge/sessiond-process.js';

const ROUNDS = process.argv.includes('--short') ? 3 : 60;
const UID = Number(process.env['SEALWAY_BENCH_UID'] ?? 65_534);
const PROGRAM = ['/bin/true'];

async function millisecondsOf(command: string, args: readonly string[]): Promise<number> {
  const begin = process.hrtime.bigint();
  const child = spawn(command, [...args], {
    uid: UID,
    gid: UID,
    cwd: '/',
    env: {},
    stdio: 'ignore',
  });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`${command} ended with ${String(status)}`);
  return Number(process.hrtime.bigint() - begin) / 1e6;
}

/** The places of our sessions, laid by bubblewrap alone. */
const PLAIN = [
  ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
  ...['--unshare-net', '--die-with-parent', '--new-session', '--ro-bind', '/', '/'],
  ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--tmpfs', '/var/tmp'],
  ...['--tmpfs', '/dev/shm', '--tmpfs', '/run', '--', ...PROGRAM],
];

function grantFor(number: number): SessionGrant {
  return {
    id: `bench-${String(number)}`,
    application: 'bench',
    argv: PROGRAM,
    cwd: '/',
    environment: { PATH: '/usr/bin:/bin' },
    binds: [{ mode: 'tmpfs', target: '/run' }],
    network: false,
    processes: 64,
    dbus: null,
    stdio: 'none',
    seccomp: 'default',
  };
}

async function startSessiond(directory: string): Promise<SessiondProcess> {
  const started = await SessiondProcess.start({
    listenPath: join(directory, 's.sock'),
    personal: false,
  });
  if (!started.ok) throw new Error(started.error.detail);
  const sessiond = started.value;
  sessiond.on('request', ({ id }) => {
    sessiond.grant(id, grantFor(id));
  });
  sessiond.on('created', ({ session }) => {
    sessiond.go(session);
  });
  sessiond.on('ended', ({ session }) => {
    sessiond.release(session);
  });
  return sessiond;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sealway-bench-'));
  chmodSync(directory, 0o711);
  const sessiond = await startSessiond(directory);
  const client = ['--socket', join(directory, 's.sock'), '--', ...PROGRAM];
  const ours: number[] = [];
  const plain: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(await millisecondsOf(nativeProgramPath('session-client'), client));
    plain.push(await millisecondsOf('/usr/bin/bwrap', PLAIN));
  }
  await sessiond.stop();
  rmSync(directory, { recursive: true });
  const result = {
    measure: 'session-start',
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, kernel: release() },
    node: process.version,
    rounds: ROUNDS,
    sessionMs: median(ours),
    bwrapMs: median(plain),
    ratio: median(ours) / median(plain),
    target: 1.5,
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
}

await main();
