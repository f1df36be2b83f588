/**
 * LibreOffice in sealed sessions: what tests ask of it, headless and with a window.
 *
 * Layer: test support. Needs a policy under which sessions lend their streams (`lab`), but for
 * what only opens windows. Windows are told apart by their English titles.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { AgentUnderTest } from './agent-under-test.js';
import type { Display } from './display.js';
import type { MissingReason } from './requirements.js';
import type { Ran } from './run-program.js';
import type { TestUser } from './users.js';
import { waitUntil } from './wait-until.js';

const SOFFICE = '/usr/bin/soffice';
const START_DEADLINE_MS = 60_000;

/** The applications themselves, a screen and hands for them. */
export function missingLibreOffice(): MissingReason {
  const needed = [SOFFICE, '/usr/bin/Xvfb', '/usr/bin/xdotool', '/usr/bin/xauth', '/usr/bin/unzip'];
  const missing = needed.filter((path) => !existsSync(path));
  return missing.length === 0 ? null : `needs ${missing.join(', ')}`;
}

/** What anybody outside finds at the beginning of a sealed file. */
export function looksSealed(path: string): boolean {
  return readFileSync(path).subarray(0, 8).toString('latin1') === 'SEALWAY1';
}

/** One person's LibreOffice in the sessions of one agent. */
export class Office {
  private readonly agent: AgentUnderTest;
  private readonly user: TestUser;

  constructor(agent: AgentUnderTest, user: TestUser) {
    this.agent = agent;
    this.user = user;
  }

  /** Settings of a first start that ask nothing, and those given: `path/name` → value. */
  async prepare(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const all = {
      'org.openoffice.Office.Common/Misc/ShowTipOfTheDay': 'false',
      'org.openoffice.Office.Common/Misc/FirstRun': 'false',
      ...settings,
    };
    const script =
      'd=$XDG_CONFIG_HOME/libreoffice/4/user; mkdir -p "$d" && cat >"$d/registrymodifications.xcu"';
    await this.inSession(['sh', '-c', script], registry(all));
  }

  /** The settings as LibreOffice has written them. */
  async settings(): Promise<string> {
    const script = 'cat "$XDG_CONFIG_HOME/libreoffice/4/user/registrymodifications.xcu"';
    return (await this.inSession(['sh', '-c', script])).stdout;
  }

  /** Converts without a window; the answer is what LibreOffice said. */
  async convert(file: string, format: string, folder: string): Promise<Ran> {
    return this.agent.run(
      [SOFFICE, '--headless', '--convert-to', format, '--outdir', folder, file],
      { as: this.user, timeoutMs: START_DEADLINE_MS },
    );
  }

  /** One entry of an office file, as a program in a session reads it. */
  async entry(file: string, name: string): Promise<string> {
    return (await this.inSession(['unzip', '-p', file, name])).stdout;
  }

  /** Fails, with what unzip says, unless every entry of the office file is whole. */
  async isWhole(file: string): Promise<boolean> {
    const ran = await this.agent.run(['unzip', '-tq', file], { as: this.user });
    return ran.status === 0;
  }

  /** Runs a program to its end in a session of its own; throws when it fails. */
  async inSession(command: readonly string[], input?: string): Promise<Ran> {
    const ran = await this.agent.run(command, {
      as: this.user,
      ...(input === undefined ? {} : { input }),
    });
    if (ran.status !== 0) throw new Error(`${command.join(' ')}: ${ran.stderr}`);
    return ran;
  }

  /** `sealway open`; comes back when the document's window is there. */
  async open(display: Display, file: string): Promise<OfficeWindow> {
    const ended = this.agent.cli(['open', file], {
      as: this.user,
      env: display.environment,
      timeoutMs: 300_000,
    });
    const title = `^${file.slice(file.lastIndexOf('/') + 1)} - LibreOffice`;
    const failed = ended.then((ran) => {
      if (ran.status !== 0) throw new Error(`open ${file}: ${ran.stderr}`);
    });
    const there = display.window(title, START_DEADLINE_MS);
    await Promise.race([there, failed]);
    return new OfficeWindow(display, await there, ended);
  }

  /** Says yes to what the recovery dialog asks until the document is there. */
  async recover(display: Display, name: string): Promise<OfficeWindow> {
    const title = `^${name} - LibreOffice`;
    const there = async (): Promise<string | undefined> => {
      const [dialog] = await display.windows('Document Recovery$');
      if (dialog !== undefined) await display.keys(dialog, 'Return');
      return dialog === undefined ? (await display.windows(title))[0] : undefined;
    };
    const id = await waitUntil(there, START_DEADLINE_MS, `${name} has been recovered`);
    return new OfficeWindow(display, id, null);
  }

  /** What a fault in the program does: the signal goes to LibreOffice itself, in these sessions. */
  async crash(): Promise<void> {
    const listed = spawnSync('ps', ['-eo', 'pid=,ppid=,comm='], { encoding: 'utf8' }).stdout;
    const rows = listed.split('\n').map((line) => line.trim().split(/\s+/u));
    const below = new Set((await this.sessions()).map(String));
    // Children have been made after their parents, but their numbers may have begun anew.
    for (let before = -1; before !== below.size;) {
      before = below.size;
      for (const [pid = '', parent = ''] of rows) if (below.has(parent)) below.add(pid);
    }
    const found = rows.filter(([pid = '', , name]) => below.has(pid) && name === 'soffice.bin');
    if (found.length === 0) throw new Error('no LibreOffice runs');
    for (const [pid = ''] of found) {
      await idle(pid);
      process.kill(Number(pid), 'SIGSEGV');
    }
  }

  /** Process ids of the first processes of this person's sessions. */
  async sessions(): Promise<number[]> {
    const { sessions } = await this.agent.json<{
      sessions: { uid: number; pid: number | null }[];
    }>(['sessions']);
    return sessions.flatMap(({ uid, pid }) => (uid === this.user.uid && pid !== null ? [pid] : []));
  }

  async noSessionLeft(): Promise<void> {
    const none = async (): Promise<boolean> => (await this.sessions()).length === 0;
    await waitUntil(none, 20_000, 'the sessions have ended');
  }

  /** Ends all sessions of this person as a power cut would. */
  async kill(): Promise<void> {
    for (const pid of await this.sessions()) process.kill(pid, 'SIGKILL');
    await this.noSessionLeft();
  }
}

/** A document's window. */
export class OfficeWindow {
  /** The end of the command that opened it; `null` when no command did. */
  readonly ended: Promise<Ran> | null;
  private readonly display: Display;
  private readonly id: string;

  constructor(display: Display, id: string, ended: Promise<Ran> | null) {
    this.display = display;
    this.id = id;
    this.ended = ended;
  }

  async typeAtEnd(text: string): Promise<void> {
    await this.display.keys(this.id, 'ctrl+End');
    await this.display.type(this.id, text);
  }

  /** Comes back when LibreOffice has taken all that was typed: keys are taken in their order. */
  async settle(): Promise<void> {
    await this.display.keys(this.id, 'ctrl+shift+s');
    await this.display.keys(await this.display.window('^Save as'), 'Escape');
    await this.display.windowGone('^Save as');
  }

  /** Ctrl+S; a file of another office suite keeps its format. */
  async save(): Promise<void> {
    await this.display.keys(this.id, 'ctrl+s');
  }

  /** The dialog that comes with saving into the formats of another suite. */
  async keepFormat(): Promise<void> {
    await this.display.keys(await this.display.window('^Confirm File Format'), 'Return');
    await this.display.windowGone('^Confirm File Format');
  }

  async saveAs(path: string): Promise<void> {
    await this.display.keys(this.id, 'ctrl+shift+s');
    const dialog = await this.display.window('^Save as');
    await this.display.keys(dialog, 'ctrl+a');
    await this.display.type(dialog, path);
    await this.display.keys(dialog, 'Return');
    await this.display.windowGone('^Save as');
  }

  /** Ends LibreOffice, all of whose documents must have been saved. */
  async quit(): Promise<void> {
    await this.display.keys(this.id, 'ctrl+q');
    await this.display.windowGone(' - LibreOffice ');
    await this.ended;
  }
}

/** Interrupted in the middle of its work, LibreOffice may hold locks that its rescue needs. */
async function idle(pid: string): Promise<void> {
  let samples = 0;
  const waiting = (): boolean => {
    const place = readFileSync(`/proc/${pid}/wchan`, 'utf8');
    samples = place.includes('poll') ? samples + 1 : 0;
    return samples === 15;
  };
  await waitUntil(waiting, 20_000, 'LibreOffice waits for its user');
}

function registry(settings: Readonly<Record<string, string>>): string {
  const items = Object.entries(settings).map(([path, value]) => {
    const at = path.lastIndexOf('/');
    const name = path.slice(at + 1);
    return `<item oor:path="/${path.slice(0, at)}"><prop oor:name="${name}" oor:op="fuse"><value>${value}</value></prop></item>`;
  });
  const namespaces =
    'xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<oor:items ${namespaces}>${items.join('\n')}</oor:items>\n`;
}
