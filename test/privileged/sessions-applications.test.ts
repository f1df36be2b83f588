/**
 * Real applications in a sealed session: LibreOffice, and a D-Bus client through the proxy.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { viewHost } from '#src/agent/sessions/host-view.js';
import { sessionGrant } from '#src/agent/sessions/session-profile.js';
import type { SessionRequest } from '#src/contracts/sessiond.js';
import { describeWhere, missingRoot } from '../support/requirements.js';
import { SessiondUnderTest, ownFolder } from '../support/sessiond-under-test.js';
import { ensureTestUser, type TestUser } from '../support/users.js';

describeWhere([missingRoot()], 'applications in a sealed session', () => {
  let sessiond: SessiondUnderTest;
  let user: TestUser;
  let folder: string;
  let profile: string;
  let dbus: string[] = [];
  const processes: ChildProcess[] = [];

  const grant = async (request: SessionRequest) => {
    const served = (directory: string) => ({ directory, device: String(statSync(directory).dev) });
    return sessionGrant({
      sessionId: `app-${String(request.id)}`,
      application: {
        id: 'test',
        network: 'none',
        dbus,
        display: { x11: true, wayland: true },
        readOnly: [],
        readWrite: [],
        limits: { processes: 512 },
      },
      user,
      argv: request.argv,
      cwd: request.cwd,
      callerEnvironment: request.environment,
      folders: [served(folder)],
      profile: served(profile),
      stdio: 'pass',
      host: await viewHost({
        user,
        callerEnvironment: request.environment,
        places: [],
        hiddenDirectories: [],
      }),
      agentDirectories: [],
    });
  };

  beforeAll(async () => {
    user = ensureTestUser('swtest1');
    folder = ownFolder(user, 'office').path;
    profile = ownFolder(user, 'profile').path;
    sessiond = await SessiondUnderTest.start();
    sessiond.answer = (request, process) => {
      void grant(request).then((session) => {
        process.grant(request.id, session);
      });
    };
  });
  afterAll(async () => {
    await sessiond.stop();
    for (const child of processes) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
    rmSync(profile, { recursive: true });
  });

  it('LibreOffice converts a document and leaves its profile in the protected place', async () => {
    writeFileSync(join(folder, 'letter.txt'), 'waybill 1234\n');
    const before = readdirSync(user.home);
    const ran = await sessiond.run(
      user,
      [
        ...['/usr/bin/soffice', '--headless', '--norestore', '--convert-to', 'docx'],
        ...['--outdir', folder, join(folder, 'letter.txt')],
      ],
      { cwd: folder },
    );
    expect(ran.status).toBe(0);
    expect(readFileSync(join(folder, 'letter.docx')).subarray(0, 2).toString()).toBe('PK');
    expect(existsSync(join(profile, 'config/libreoffice'))).toBe(true);
    expect(readdirSync(user.home)).toEqual(before);
  }, 120_000);

  it('LibreOffice cannot save outside its folders', async () => {
    const ran = await sessiond.run(
      user,
      [
        ...['/usr/bin/soffice', '--headless', '--norestore', '--convert-to', 'pdf'],
        ...['--outdir', user.home, join(folder, 'letter.txt')],
      ],
      { cwd: folder },
    );
    expect(existsSync(join(user.home, 'letter.pdf'))).toBe(false);
    expect(`${ran.stdout}${ran.stderr}`).toMatch(/Error|failed/u);
  }, 120_000);

  it('D-Bus shows the names that are granted, and no others', async () => {
    const services = join(folder, 'services');
    mkdirSync(services);
    for (const name of ['Granted', 'Hidden']) {
      const text = `[D-BUS Service]\nName=com.example.${name}\nExec=/bin/false\n`;
      writeFileSync(join(services, `${name}.service`), text);
    }
    const address = `unix:path=${folder}/bus`;
    const configuration = join(folder, 'bus.conf');
    writeFileSync(
      configuration,
      `<busconfig><type>session</type><listen>${address}</listen>
       <servicedir>${services}</servicedir>
       <policy context="default"><allow send_destination="*" eavesdrop="true"/>
       <allow eavesdrop="true"/><allow own="*"/></policy>
       </busconfig>`,
    );
    const daemon = spawn(
      'dbus-daemon',
      [`--config-file=${configuration}`, '--nofork', '--nopidfile', '--print-address'],
      { uid: user.uid, gid: user.gid, env: {}, stdio: ['ignore', 'pipe', 'ignore'] },
    );
    processes.push(daemon);
    await once(daemon.stdout, 'data');
    dbus = ['com.example.Granted'];
    const ran = await sessiond.run(
      user,
      [
        ...['/usr/bin/dbus-send', '--session', '--print-reply', '--dest=org.freedesktop.DBus'],
        ...['/org/freedesktop/DBus', 'org.freedesktop.DBus.ListActivatableNames'],
      ],
      { env: { DBUS_SESSION_BUS_ADDRESS: address } },
    );
    dbus = [];
    expect(ran.stderr).toBe('');
    expect(ran.stdout).toContain('com.example.Granted');
    expect(ran.stdout).not.toContain('com.example.Hidden');
    const left = spawnSync('pgrep', ['-u', user.name, 'xdg-dbus-proxy']);
    expect(left.stdout.toString()).toBe('');
  });
});
