/**
 * The environment of a sealed session, built from an allow list.
 *
 * Layer: agent, pure. Spec: docs/adr/0042.
 * Attack: a variable is a way to put code or a file of the caller's choice into a listed program
 *   (`LD_PRELOAD`, `PYTHONSTARTUP`, `JAVA_TOOL_OPTIONS`, `GTK_MODULES`, `QT_PLUGIN_PATH`,
 *   `XDG_DATA_DIRS` …). So names are listed, values have a form, and paths are never the caller's.
 */

export interface EnvironmentInput {
  readonly sessionId: string;
  readonly user: { readonly uid: number; readonly name: string; readonly home: string };
  /** What the caller had; not believed. */
  readonly caller: Readonly<Record<string, string>>;
  /** Writable, protected, per user; `null` in a session without one. */
  readonly profileDirectory: string | null;
  readonly homeExists: boolean;
  readonly x11: { readonly display: string; readonly authority: boolean } | null;
  readonly waylandDisplay: string | null;
  readonly dbus: boolean;
}

/** Where things lie inside every session; sessiond binds the bus socket there. */
export const SESSION_BUS_PATH = '/tmp/.session-bus';
export const SESSION_XAUTHORITY_PATH = '/run/sealway/xauthority';

/** Folders of a profile, in the order of the XDG variables that name them. */
export const PROFILE_FOLDERS = ['config', 'cache', 'data', 'state'] as const;

const WORD = /^[A-Za-z0-9@=:._+-]{1,128}$/u;
const NUMBER = /^\d{1,5}(\.\d{1,4})?$/u;
const LOCALE = /^[A-Za-z0-9_.@:-]{0,256}$/u;

/** Names that may pass, each with the form its value must have. */
const PASSED: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [/^(LANG|LANGUAGE|LC_[A-Z]{2,16})$/u, LOCALE],
  // A leading colon or slash would name a file.
  [/^TZ$/u, /^[A-Za-z0-9][A-Za-z0-9_+/-]{0,63}$/u],
  [/^(TERM|COLORTERM|NO_COLOR)$/u, WORD],
  [/^(COLUMNS|LINES|GDK_SCALE|GDK_DPI_SCALE|QT_SCALE_FACTOR|XCURSOR_SIZE)$/u, NUMBER],
  [/^(XDG_CURRENT_DESKTOP|XDG_SESSION_DESKTOP|XDG_SESSION_TYPE|DESKTOP_SESSION)$/u, WORD],
  // Chinese and Japanese are typed through these; the modules are looked up in system folders.
  [/^(GTK_IM_MODULE|QT_IM_MODULE|XMODIFIERS)$/u, WORD],
  [/^(GTK_THEME|XCURSOR_THEME|SAL_USE_VCLPLUGIN|GDK_BACKEND|QT_QPA_PLATFORM)$/u, WORD],
];

/** The complete environment. Never fails: what does not fit is left out. */
export function sessionEnvironment(input: EnvironmentInput): Record<string, string> {
  const { user, profileDirectory } = input;
  return {
    ...passedOn(input.caller),
    PATH: '/usr/local/bin:/usr/bin:/bin:/usr/games',
    HOME: input.homeExists || profileDirectory === null ? user.home : profileDirectory,
    USER: user.name,
    LOGNAME: user.name,
    SHELL: '/bin/sh',
    TMPDIR: '/tmp',
    XDG_RUNTIME_DIR: runtimeDirectory(user.uid),
    XDG_DATA_DIRS: '/usr/local/share:/usr/share',
    XDG_CONFIG_DIRS: '/etc/xdg',
    ...profileVariables(profileDirectory),
    ...displayVariables(input),
    // "disabled:" keeps a library from starting a bus of its own.
    DBUS_SESSION_BUS_ADDRESS: input.dbus ? `unix:path=${SESSION_BUS_PATH}` : 'disabled:',
    // The portal's file chooser runs outside and hands files out of the session.
    GTK_USE_PORTAL: '0',
    // The display server cannot attach shared memory of another IPC namespace.
    QT_X11_NO_MITSHM: '1',
    SEALWAY_SESSION: input.sessionId,
  };
}

/** The user's runtime directory inside the session, which is the session's own. */
export function runtimeDirectory(uid: number): string {
  return `/run/user/${String(uid)}`;
}

function passedOn(caller: Readonly<Record<string, string>>): Record<string, string> {
  const fits = ([name, value]: [string, string]): boolean =>
    PASSED.some(([names, values]) => names.test(name) && values.test(value));
  return Object.fromEntries(Object.entries(caller).filter(fits));
}

/** Autosave, recovery, recent files and thumbnails are plaintext: they belong into the profile. */
function profileVariables(directory: string | null): Record<string, string> {
  if (directory === null) return {};
  const [config, cache, data, state] = PROFILE_FOLDERS;
  return {
    XDG_CONFIG_HOME: `${directory}/${config}`,
    XDG_CACHE_HOME: `${directory}/${cache}`,
    XDG_DATA_HOME: `${directory}/${data}`,
    XDG_STATE_HOME: `${directory}/${state}`,
  };
}

function displayVariables(input: EnvironmentInput): Record<string, string> {
  const { x11, waylandDisplay } = input;
  return {
    ...(x11 === null ? {} : { DISPLAY: x11.display }),
    ...(x11?.authority === true ? { XAUTHORITY: SESSION_XAUTHORITY_PATH } : {}),
    ...(waylandDisplay === null ? {} : { WAYLAND_DISPLAY: waylandDisplay }),
  };
}
