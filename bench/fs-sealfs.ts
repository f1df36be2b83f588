/**
 * sealfs's plain view, as a session has it: sealfs itself is started with a control client that
 * does what the agent does (keys, table, a session, acknowledging events), and the measured
 * programs run inside the mount namespace that is registered as the session.
 *
 * The verdict is a real one: caller identified, table looked up. `--fixed-verdict` is not used.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SealfsHello, type SealfsCall, type SealfsTable } from '#src/contracts/sealfs-control.js';
import { SealfsClient } from '#src/native-bridge/sealfs-client.js';
import { startSealfs } from '#src/native-bridge/sealfs-process.js';
import { untilMounted, type Mounted, type System } from './fs-mounting.js';
import { runToEnd } from './machine.js';

const NAME = { label: 'bench', area: 'bench', epoch: 1 };
const APPLICATION = 'bench';
const ACKNOWLEDGE_EVERY_MS = 50;

const TABLE: SealfsTable = {
  version: '1',
  labels: [{ name: NAME.label, level: 1, barrier: false, recordSealedOpens: true }],
  applications: [{ id: APPLICATION, childrenPlain: true, anyExecutable: true }],
  executables: [],
  rows: [
    {
      ...{ uid: '*', application: APPLICATION, label: NAME.label, area: '*' },
      ...{ open: 'allow', modify: 'allow', ruleIds: ['bench'] },
    },
  ],
};

export function sealfsSystem(): System {
  return {
    name: 'sealfs',
    version: 'this checkout: plain view in a registered mount namespace, events acknowledged',
    mount: mountSealfs,
  };
}

async function mountSealfs(place: string): Promise<Mounted> {
  const folder = join(place, 'folder');
  mkdirSync(folder, { recursive: true });
  const control = join(place, 'control');
  const started = await startSealfs({
    folder,
    controlPath: control,
    spoolPath: join(place, 'spool'),
    redoPath: join(place, 'redo'),
    logPath: join(place, 'log'),
    deadlineMs: 15_000,
  });
  if (!started.ok) throw new Error(started.error.detail);
  await untilMounted(folder);
  const client = await connect(control);
  const session = await openNamespace();
  await supply(client.order, session.pid);
  return {
    directory: folder,
    prefix: ['nsenter', `--mount=/proc/${session.pid}/ns/mnt`, '--'],
    stop: async () => {
      await client.order({ type: 'session-remove', sessionId: 'bench' });
      await session.end();
      client.stopAcknowledging();
      await client.order({ type: 'unmount', lazy: true });
      client.close();
      await runToEnd([
        'sh',
        '-c',
        `while kill -0 ${started.value} 2>/dev/null; do sleep 0.02; done`,
      ]);
    },
  };
}

interface Control {
  readonly order: (call: SealfsCall) => Promise<void>;
  readonly stopAcknowledging: () => void;
  readonly close: () => void;
}

async function connect(path: string): Promise<Control> {
  let newest = 0;
  let acknowledged = 0;
  const connected = await SealfsClient.connect(path, {
    onEvent: ({ sequence }) => (newest = sequence),
    onClose: () => undefined,
  });
  if (!connected.ok) throw new Error(connected.error.detail);
  const client = connected.value;
  const hello = { type: 'hello', protocol: 1, agentPid: process.pid } as const;
  const greeted = await client.call(hello, SealfsHello);
  if (!greeted.ok) throw new Error(greeted.error.detail);
  const timer = setInterval(() => {
    if (newest === acknowledged) return;
    acknowledged = newest;
    void client.order({ type: 'events-ack', upTo: newest });
  }, ACKNOWLEDGE_EVERY_MS);
  return {
    order: async (call) => {
      const answer = await client.order(call);
      if (!answer.ok) throw new Error(answer.error.detail);
    },
    stopAcknowledging: () => {
      clearInterval(timer);
    },
    close: () => {
      client.close();
    },
  };
}

async function supply(order: Control['order'], pid: number): Promise<void> {
  const { label, area, epoch } = NAME;
  const folder = { label, area, keyEpoch: epoch, deviceId: 'b'.repeat(32) };
  await order({ type: 'configure', folder: { ...folder, exclude: [], profile: false } });
  await order({ type: 'keys-add', keys: [{ ...NAME, key: randomBytes(32).toString('hex') }] });
  await order({ type: 'table', table: TABLE });
  const mountNamespace = String(statSync(`/proc/${pid}/ns/mnt`, { bigint: true }).ino);
  const session = { id: 'bench', uid: 0, application: APPLICATION, mountNamespace, pid };
  await order({ type: 'sessions', sessions: [session] });
}

/** A process that does nothing but hold a mount namespace of its own. */
async function openNamespace(): Promise<{ pid: number; end: () => Promise<void> }> {
  const holder = spawn('unshare', ['--mount', '--', 'sh', '-c', 'echo in; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await once(holder.stdout, 'data');
  return {
    pid: holder.pid ?? -1,
    end: async () => {
      holder.stdin.end();
      await once(holder, 'exit');
    },
  };
}
