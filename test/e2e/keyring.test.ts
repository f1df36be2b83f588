/** The key authority against a real gnome-keyring on a session bus of its own. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const PROBE = new URL('../support/keyring-probe.mjs', import.meta.url).pathname;
const UNLOCK =
  'printf %s "$PASSWORD" | gnome-keyring-daemon --unlock --components=secrets >/dev/null';
let home = '';

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'sealway-keyring-'));
  mkdirSync(join(home, 'state'), { mode: 0o700 });
  mkdirSync(join(home, 'run'), { mode: 0o700 });
});
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

type Outcome = Readonly<Record<'device' | 'key' | 'code' | 'detail', string | undefined>>;

/** Runs `script` in a fresh session (its own bus, its own daemon); `$PROBE` prints an outcome. */
function inSession(script: string, command = 'dbus-run-session'): readonly Outcome[] {
  const args = command === 'sh' ? ['-c', script] : ['--', 'sh', '-c', script];
  const ran = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 60_000,
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: home,
      XDG_DATA_HOME: join(home, 'data'),
      XDG_RUNTIME_DIR: join(home, 'run'),
      PASSWORD: 'correct horse',
      PROBE: `${process.execPath} ${PROBE} ${join(home, 'state')}`,
    },
  });
  const lines = ran.stdout.split('\n').filter((line) => line.startsWith('{'));
  if (lines.length === 0) throw new Error(`no outcome: ${ran.stderr}`);
  return lines.map((line) => JSON.parse(line) as Outcome);
}

// One story: each step finds what the one before left.
describe('keys in a real keychain', () => {
  let first: Outcome | undefined;

  it('are stored', () => {
    [first] = inSession(`${UNLOCK}; $PROBE`);
    expect(first).toMatchObject({ device: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown });
  }, 90_000);

  it('are found again by another daemon in another session', () => {
    expect(inSession(`${UNLOCK}; $PROBE; $PROBE`)).toEqual([first, first]);
  }, 90_000);

  it('are not there while the keychain is locked, and the message says what to do', () => {
    const lock =
      'dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login >/dev/null';
    const [outcome] = inSession(`${UNLOCK}; ${lock}; $PROBE`);
    expect(outcome).toMatchObject({ code: 'E_KEYCHAIN_LOCKED' });
    expect(outcome?.detail).toContain('unlock it');
  }, 90_000);

  it('are not there without a session bus', () => {
    expect(inSession('$PROBE', 'sh')).toMatchObject([{ code: 'E_KEYCHAIN_MISSING' }]);
  }, 90_000);

  it('are unharmed by all that', () => {
    expect(inSession(`${UNLOCK}; $PROBE`)).toEqual([first]);
  }, 90_000);
});
