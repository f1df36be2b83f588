import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isLoaderVariable } from '../../contracts/sessiond.js';
import { sessionEnvironment, type EnvironmentInput } from './session-environment.js';

const input: EnvironmentInput = {
  sessionId: 's-1',
  user: { uid: 1001, name: 'li', home: '/home/li' },
  caller: {},
  profileDirectory: '/var/lib/sealway/profiles/1001',
  homeExists: true,
  x11: { display: ':0', authority: true },
  waylandDisplay: null,
  dbus: false,
};

describe('sessionEnvironment', () => {
  it.each([
    { id: 'locale', name: 'LANG', value: 'zh_CN.UTF-8' },
    { id: 'input-method', name: 'XMODIFIERS', value: '@im=fcitx' },
    { id: 'time-zone', name: 'TZ', value: 'Asia/Shanghai' },
    { id: 'scale', name: 'GDK_DPI_SCALE', value: '1.5' },
    { id: 'terminal', name: 'TERM', value: 'xterm-256color' },
  ])('passes $id', ({ name, value }) => {
    expect(sessionEnvironment({ ...input, caller: { [name]: value } })[name]).toBe(value);
  });

  it.each([
    { id: 'preload', name: 'LD_PRELOAD', value: '/tmp/x.so' },
    { id: 'python', name: 'PYTHONPATH', value: '/tmp' },
    { id: 'java', name: 'JAVA_TOOL_OPTIONS', value: '-javaagent:/tmp/x.jar' },
    { id: 'gtk-modules', name: 'GTK_MODULES', value: 'x' },
    { id: 'qt-plugins', name: 'QT_PLUGIN_PATH', value: '/tmp' },
    { id: 'bash-env', name: 'BASH_ENV', value: '/tmp/x' },
    { id: 'ssh-agent', name: 'SSH_AUTH_SOCK', value: '/tmp/ssh-x/agent.1' },
    { id: 'time-zone-file', name: 'TZ', value: ':/tmp/zone' },
    { id: 'module-by-path', name: 'GTK_IM_MODULE', value: '/tmp/im.so' },
    { id: 'odd-locale', name: 'LANG', value: '../../tmp' },
  ])('leaves out $id', ({ name, value }) => {
    expect(sessionEnvironment({ ...input, caller: { [name]: value } })[name]).toBeUndefined();
  });

  it('takes no path, home or bus from the caller', () => {
    const caller = { PATH: '/tmp', HOME: '/tmp', XDG_DATA_DIRS: '/tmp', XDG_CONFIG_HOME: '/tmp' };
    const built = sessionEnvironment({ ...input, caller });
    expect(Object.values(built).filter((value) => value === '/tmp')).toEqual([built['TMPDIR']]);
  });

  it('moves to the profile when there is no home', () => {
    expect(sessionEnvironment({ ...input, homeExists: false })['HOME']).toBe(
      '/var/lib/sealway/profiles/1001',
    );
  });

  it('never holds a loader variable, whatever the caller has', () => {
    const variables = fc.dictionary(
      fc.oneof(
        fc.string(),
        fc.string().map((s) => `LD_${s}`),
        fc.constant('LC_ALL'),
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(variables, (caller) => {
        const names = Object.keys(sessionEnvironment({ ...input, caller }));
        expect(names.filter(isLoaderVariable)).toEqual([]);
      }),
    );
  });
});
