/**
 * An agent, a protected folder and a session with a write load: what the tests that kill need.
 *
 * Everything is measured from the moment of the kill.
 */
import { chownSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AgentUnderTest, detachBelow } from './agent-under-test.js';
import { newMarker } from './office-samples.js';
import { randomFrom } from './random.js';
import { SessionWorker } from './session-worker.js';
import { ensureTestUser, type TestUser } from './users.js';
import { waitUntil } from './wait-until.js';
import { WriteLoad } from './write-load.js';

const PROBE = 'probe.txt';
const PROBE_BYTES = 50_000;
const SESSION_DEADLINE_MS = 20_000;

export interface TrailRecordSeen {
  readonly kind: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

interface FolderSeen {
  readonly directory: string;
  readonly sealfsPid: number | null;
}

export class KillRig {
  agent: AgentUnderTest;
  worker: SessionWorker;
  readonly user: TestUser;
  readonly directory: string;
  readonly marker: string;
  readonly load: WriteLoad;
  readonly random: () => number;

  private constructor(agent: AgentUnderTest, worker: SessionWorker, parts: KillRigParts) {
    this.agent = agent;
    this.worker = worker;
    this.user = parts.user;
    this.directory = parts.directory;
    this.marker = parts.marker;
    this.random = randomFrom(parts.seed);
    this.load = new WriteLoad(parts.directory, parts.marker, this.random);
  }

  static async start(seed: number): Promise<KillRig> {
    const user = ensureTestUser('swtest1');
    const directory = mkdtempSync(join(user.home, 'killed-'));
    chownSync(directory, user.uid, user.gid);
    const agent = await AgentUnderTest.start(startOptions(directory));
    const parts = { seed, user, directory, marker: newMarker() };
    const rig = new KillRig(agent, await untilSession(agent, user), parts);
    const text = `${rig.marker} probe`;
    await rig.worker.order({ act: 'create', path: rig.probe, text, length: PROBE_BYTES });
    await rig.load.prepare(rig.worker);
    return rig;
  }

  get probe(): string {
    return join(this.directory, PROBE);
  }

  async dispose(): Promise<void> {
    this.worker.process.kill('SIGKILL');
    await this.agent.dispose();
    await detachBelow(this.directory);
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** A new session, however often one is refused until then. */
  newSession(): Promise<SessionWorker> {
    return untilSession(this.agent, this.user);
  }

  /** Opens and reads a file anew inside `worker`'s session; throws what was wrong with it. */
  async readProbe(worker: SessionWorker): Promise<void> {
    const answer = await worker.order({ act: 'content', path: this.probe });
    const wanted = Buffer.from(this.probeText()).toString('base64');
    if (answer?.base64 !== wanted) throw new Error(`the probe: ${answer?.error ?? 'other bytes'}`);
  }

  private probeText(): string {
    return Buffer.alloc(PROBE_BYTES, `${this.marker} probe`).toString();
  }

  /** Whether `sealway run -- cat FILE` gives the right bytes in a session of its own. */
  async opensAnew(): Promise<boolean> {
    const { status, stdout } = await this.agent.run(['cat', this.probe], { as: this.user });
    return status === 0 && stdout === this.probeText();
  }

  /** The agent starts again on the same state directory, as its service manager does it. */
  async startAgentAgain(): Promise<void> {
    this.agent = await AgentUnderTest.start({
      ...startOptions(this.directory),
      state: this.agent.state,
    });
  }

  async sealfsPid(): Promise<number> {
    const folders = await this.agent.json<{ folders: FolderSeen[] }>(['folders']);
    const pid = folders.folders.find(({ directory }) => directory === this.directory)?.sealfsPid;
    if (typeof pid !== 'number') throw new Error('no sealfs serves the folder');
    return pid;
  }

  sessiondPid(): number {
    const [pid] = processesOf('sessiond', this.agent.state);
    if (pid === undefined) throw new Error('no sessiond runs');
    return pid;
  }

  async sessions(): Promise<{ id: string; pid: number | null }[]> {
    const answer = await this.agent.json<{ sessions: { id: string; pid: number | null }[] }>([
      'sessions',
    ]);
    return answer.sessions;
  }

  async records(): Promise<TrailRecordSeen[]> {
    const ran = await this.agent.cli(['audit', 'tail', '--json', '--count', '1000000']);
    return ran.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as TrailRecordSeen);
  }

  /** Files below the folder and the state directory that hold the marker; call after a stop. */
  plaintextAtRest(): string[] {
    return [this.directory, this.agent.state].flatMap((place) =>
      readdirSync(place, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((path) => readFileSync(path).includes(this.marker)),
    );
  }

  /** Between 0.2 and 1.5 seconds. */
  async aRandomWhile(): Promise<void> {
    const whileMs = 200 + this.random() * 1_300;
    await new Promise((resolve) => setTimeout(resolve, whileMs));
  }
}

interface KillRigParts {
  readonly seed: number;
  readonly user: TestUser;
  readonly directory: string;
  readonly marker: string;
}

function startOptions(directory: string): { protect: string[]; label: string; area: string } {
  return { protect: [directory], label: 'internal', area: 'main' };
}

async function untilSession(agent: AgentUnderTest, user: TestUser): Promise<SessionWorker> {
  const refusals: string[] = [];
  try {
    return await waitUntil(
      () => SessionWorker.start(agent, user, refusals),
      SESSION_DEADLINE_MS,
      'there is a session',
    );
  } catch (thrown) {
    throw new Error(`${String(thrown)}: ${refusals.at(-1) ?? ''}`, { cause: thrown });
  }
}

/** Kills one process, and resolves with the time of the kill when it has gone. */
export async function killHard(pid: number): Promise<number> {
  const atMs = performance.now();
  process.kill(pid, 'SIGKILL');
  await waitUntil(() => !isRunning(pid), 5_000, `process ${String(pid)} is gone`);
  return atMs;
}

/** A zombie counts as gone: it holds nothing any more. */
export function isRunning(pid: number): boolean {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    return !/^\s*[ZX]/u.test(text.slice(text.lastIndexOf(')') + 1));
  } catch {
    return false;
  }
}

/** Processes of the program `name` that were started with the state directory `state`. */
export function processesOf(name: string, state: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/u.test(entry))
    .filter((pid) => {
      const words = commandOf(pid);
      return words[0]?.endsWith(`/${name}`) === true && words.some((w) => w.startsWith(state));
    })
    .map(Number);
}

function commandOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
