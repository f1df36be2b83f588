/**
 * What the host has at the moment that matters to a session: display, bus, devices, sockets.
 *
 * Layer: agent. Reads /proc, /dev and directories; changes nothing.
 * Attack: the caller's environment names places. A value is taken only in the one form that a
 *   desktop gives it, and whatever it names is bound by sessiond with the caller's own rights.
 */
import { constants } from 'node:fs';
import { access, lstat, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SessionUser } from './session-profile.js';

export interface HostView {
  readonly homeExists: boolean;
  readonly x11: {
    readonly display: string;
    readonly socketPath: string;
    readonly authorityPath: string | null;
  } | null;
  readonly wayland: { readonly display: string; readonly socketPath: string } | null;
  /** The user's session bus, as xdg-dbus-proxy takes it. */
  readonly busAddress: string | null;
  /** Device nodes and directories of them that every session may use. */
  readonly devices: readonly string[];
  /** What /etc/resolv.conf points at, when that lies below /run. */
  readonly resolverPaths: readonly string[];
  /** Bound sockets outside the places that are hidden anyway, which this user can connect to. */
  readonly reachableSockets: readonly string[];
  /** Of the application's extra places, those that are there. */
  readonly existingPlaces: readonly string[];
}

export interface HostQuery {
  readonly user: SessionUser;
  readonly callerEnvironment: Readonly<Record<string, string>>;
  /** Absolute paths of the application's extra places. */
  readonly places: readonly string[];
  /** Directories that are hidden in the session as a whole. */
  readonly hiddenDirectories: readonly string[];
}

/** Directories under which every session has an empty file system of its own. */
const ALWAYS_HIDDEN = ['/run', '/tmp', '/var/tmp', '/dev', '/proc'];

/** Looks at the host for one user. Never fails: what cannot be read is not there. */
export async function viewHost(query: HostQuery): Promise<HostView> {
  const { user, callerEnvironment } = query;
  const [homeExists, x11, wayland, busAddress, dri, resolverPaths, reachableSockets, existing] =
    await Promise.all([
      exists(user.home),
      x11Of(user, callerEnvironment),
      waylandOf(user, callerEnvironment),
      busOf(user, callerEnvironment),
      exists('/dev/dri'),
      resolvers(),
      socketsInReach(user, [...ALWAYS_HIDDEN, ...query.hiddenDirectories]),
      Promise.all(query.places.map(async (path) => ((await exists(path)) ? [path] : []))),
    ]);
  return {
    homeExists,
    x11,
    wayland,
    busAddress,
    devices: dri ? ['/dev/dri'] : [],
    resolverPaths,
    reachableSockets,
    existingPlaces: existing.flat(),
  };
}

async function x11Of(
  user: SessionUser,
  environment: Readonly<Record<string, string>>,
): Promise<HostView['x11']> {
  const match = /^:(\d{1,5})(\.\d{1,2})?$/u.exec(environment['DISPLAY'] ?? '');
  if (match?.[1] === undefined) return null;
  const socketPath = `/tmp/.X11-unix/X${match[1]}`;
  if (!(await isSocket(socketPath))) return null;
  const named = environment['XAUTHORITY'] ?? `${user.home}/.Xauthority`;
  const usable = named.startsWith('/') && !`${named}/`.includes('/../');
  const authorityPath = usable && (await isOwnFile(named, user.uid)) ? named : null;
  return { display: match[0], socketPath, authorityPath };
}

async function waylandOf(
  user: SessionUser,
  environment: Readonly<Record<string, string>>,
): Promise<HostView['wayland']> {
  const display = environment['WAYLAND_DISPLAY'] ?? '';
  if (!/^wayland-\d{1,5}$/u.test(display)) return null;
  const socketPath = `/run/user/${String(user.uid)}/${display}`;
  return (await isSocket(socketPath)) ? { display, socketPath } : null;
}

async function busOf(
  user: SessionUser,
  environment: Readonly<Record<string, string>>,
): Promise<string | null> {
  const named = environment['DBUS_SESSION_BUS_ADDRESS'] ?? '';
  const form = /^unix:(path|abstract)=[A-Za-z0-9/._-]{1,100}(,guid=[0-9a-f]{32})?$/u;
  if (form.test(named)) return named;
  const usual = `/run/user/${String(user.uid)}/bus`;
  return (await isSocket(usual)) ? `unix:path=${usual}` : null;
}

async function resolvers(): Promise<string[]> {
  try {
    const target = await readlink('/etc/resolv.conf');
    if (!target.includes('run/')) return [];
    return [dirname(await realpath('/etc/resolv.conf'))];
  } catch {
    return [];
  }
}

/** Paths of bound sockets, as the kernel lists them; abstract ones are cut off by the namespace. */
export function boundSocketPaths(procNetUnix: string): string[] {
  const paths = procNetUnix.split('\n').flatMap((line) => {
    const at = line.indexOf(' /');
    return at === -1 ? [] : [line.slice(at + 1)];
  });
  return [...new Set(paths)];
}

async function socketsInReach(
  user: SessionUser,
  hiddenDirectories: readonly string[],
): Promise<string[]> {
  const listed = boundSocketPaths(await readFile('/proc/net/unix', 'utf8').catch(() => ''));
  const found: string[] = [];
  for (const path of listed) {
    const hiddenBy = (directory: string): boolean => path.startsWith(`${directory}/`);
    if (hiddenDirectories.some(hiddenBy) || /[\0\n]|\/\.\.?\//u.test(path)) continue;
    if ((await isSocket(path)) && (await canPass(dirname(path), user))) found.push(path);
  }
  return found.sort();
}

/**
 * Whether the user can walk into `directory`. Supplementary groups are left out: a directory that
 * is open to one of them alone counts as closed, and its socket is masked by nothing but its mode.
 */
export async function canPass(
  directory: string,
  user: Pick<SessionUser, 'uid' | 'gid'>,
): Promise<boolean> {
  for (let path = directory; ; path = dirname(path)) {
    const info = await stat(path).catch(() => null);
    if (info === null) return false;
    const shift = info.uid === user.uid ? 6 : info.gid === user.gid ? 3 : 0;
    if (((info.mode >> shift) & 1) === 0) return false;
    if (path === '/') return true;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}

async function isSocket(path: string): Promise<boolean> {
  return lstat(path).then(
    (info) => info.isSocket(),
    () => false,
  );
}

async function isOwnFile(path: string, uid: number): Promise<boolean> {
  return lstat(path).then(
    (info) => info.isFile() && info.uid === uid,
    () => false,
  );
}
