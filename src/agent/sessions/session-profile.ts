/**
 * From an application entry, a user and the protected folders to a session's grant.
 *
 * Layer: agent, pure: what the host has is looked up before (`host-view.ts`).
 * Spec: docs/spec/sessiond-v1.md, "Places of a session".
 * Order of binds: hide, then show again what is allowed, then the folders, so that nothing can
 *   cover a protected folder and nothing hidden comes back by a later bind.
 */
import type { SessionBind, SessionGrant, SessionStdio } from '../../contracts/sessiond.js';
import type { Application } from '../../core/policy/applications-file.js';
import type { HostView } from './host-view.js';
import {
  PROFILE_FOLDERS,
  SESSION_XAUTHORITY_PATH,
  runtimeDirectory,
  sessionEnvironment,
} from './session-environment.js';

export interface SessionUser {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly home: string;
}

/** A directory with a sealfs mount over it. */
export interface ServedFolder {
  readonly directory: string;
  /** `stat(directory).dev` of that mount, decimal. */
  readonly device: string;
}

export interface ProfileInput {
  readonly sessionId: string;
  readonly application: Pick<
    Application,
    'id' | 'network' | 'dbus' | 'display' | 'readOnly' | 'readWrite' | 'limits'
  >;
  readonly user: SessionUser;
  /** `argv[0]` is the absolute path of the program. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly callerEnvironment: Readonly<Record<string, string>>;
  /** Those that this user can reach; others would keep the session from starting. */
  readonly folders: readonly ServedFolder[];
  readonly profile: ServedFolder | null;
  readonly stdio: SessionStdio;
  readonly host: HostView;
  /** The agent's own directories: state, keys, sockets. */
  readonly agentDirectories: readonly string[];
}

/** Builds the grant. */
export function sessionGrant(input: ProfileInput): SessionGrant {
  const { application, user, host, profile } = input;
  const bus = application.dbus.length === 0 ? null : host.busAddress;
  return {
    id: input.sessionId,
    application: application.id,
    argv: [...input.argv],
    cwd: input.cwd,
    environment: sessionEnvironment({
      sessionId: input.sessionId,
      user,
      caller: input.callerEnvironment,
      profileDirectory: profile?.directory ?? null,
      homeExists: host.homeExists,
      x11:
        application.display.x11 && host.x11 !== null
          ? { display: host.x11.display, authority: host.x11.authorityPath !== null }
          : null,
      waylandDisplay: application.display.wayland ? (host.wayland?.display ?? null) : null,
      dbus: bus !== null,
    }),
    binds: [
      ...hidden(input),
      ...shown(input),
      ...places(input),
      ...served(input),
      ...profileFolders(profile),
    ],
    network: application.network === 'host',
    processes: application.limits.processes,
    dbus: bus === null ? null : { address: bus, talk: [...application.dbus] },
    stdio: input.stdio,
    seccomp: 'default',
  };
}

/**
 * What a session must not see. A socket in the file system can be connected to on a read-only
 * mount too, and would carry plaintext out of the session.
 */
function hidden({ user, host, agentDirectories }: ProfileInput): SessionBind[] {
  return [
    tmpfs('/run'),
    tmpfs(runtimeDirectory(user.uid)),
    ...agentDirectories.filter((path) => !isInside(path, '/run')).map(tmpfs),
    ...host.reachableSockets.map((target): SessionBind => readOnly('/dev/null', target)),
  ];
}

/** Display, graphics card and, with a network, the name service. */
function shown({ application, user, host }: ProfileInput): SessionBind[] {
  const binds: SessionBind[] = [];
  if (application.display.x11 && host.x11 !== null) {
    binds.push(readOnly(host.x11.socketPath, host.x11.socketPath));
    if (host.x11.authorityPath !== null) {
      binds.push(readOnly(host.x11.authorityPath, SESSION_XAUTHORITY_PATH));
    }
  }
  if (application.display.wayland && host.wayland !== null) {
    const target = `${runtimeDirectory(user.uid)}/${host.wayland.display}`;
    binds.push(readOnly(host.wayland.socketPath, target));
  }
  for (const device of host.devices) binds.push({ mode: 'dev', source: device, target: device });
  if (application.network === 'host') {
    for (const path of host.resolverPaths) binds.push(readOnly(path, path));
  }
  return binds;
}

/** Extra places of the application entry, where they exist. */
function places({ application, user, host }: ProfileInput): SessionBind[] {
  const bind = (mode: 'ro' | 'rw') => (place: string) => {
    const path = place.startsWith('~/') ? `${user.home}/${place.slice(2)}` : place;
    return host.existingPlaces.includes(path) ? [{ mode, source: path, target: path }] : [];
  };
  return [
    ...application.readOnly.flatMap(bind('ro')),
    ...application.readWrite.flatMap(bind('rw')),
  ];
}

function served({ folders, profile }: ProfileInput): SessionBind[] {
  const all = profile === null ? folders : [...folders, profile];
  // The outer folder first: bound later, it would cover the inner one.
  const ordered = [...all].sort((a, b) => a.directory.length - b.directory.length);
  return ordered.map(({ directory, device }) => ({
    mode: 'rw',
    source: directory,
    target: directory,
    device,
  }));
}

/** LibreOffice gives up when the folder that XDG_CONFIG_HOME names is missing. */
function profileFolders(profile: ServedFolder | null): SessionBind[] {
  if (profile === null) return [];
  return PROFILE_FOLDERS.map((name) => ({ mode: 'dir', target: `${profile.directory}/${name}` }));
}

function tmpfs(target: string): SessionBind {
  return { mode: 'tmpfs', target };
}

function readOnly(source: string, target: string): SessionBind {
  return { mode: 'ro', source, target };
}

function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}
