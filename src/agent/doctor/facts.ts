/**
 * What this machine is like: read once for each `sealway doctor`.
 *
 * Layer: agent. Probes only read; a probe that fails says so in its value instead of throwing.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { delimiter, join } from 'node:path';
import { nativeProgramPath } from '../../native-bridge/native-programs.js';

export interface MachineFacts {
  readonly serviceMode: boolean;
  readonly kernel: string;
  readonly fuseDevice: boolean;
  /** Somebody asked for the watched-folder engine. */
  readonly watchedOnly: boolean;
  readonly sealfsBuilt: boolean;
  readonly sessiondBuilt: boolean;
  readonly bubblewrap: boolean;
  readonly dbusProxy: boolean;
  readonly swapDevices: readonly string[];
  readonly corePattern: string;
  readonly display: 'x11' | 'wayland' | 'none';
  readonly keyStore: string;
  readonly keyStoreWeak: boolean;
}

/** Gathers the facts; `keyStore` is told by the key vault itself, `watchedOnly` by the options. */
export function probeMachine(
  keyStore: { readonly text: string; readonly weak: boolean },
  watchedOnly: boolean,
): MachineFacts {
  return {
    serviceMode: process.getuid?.() === 0,
    kernel: release(),
    fuseDevice: isAccessible('/dev/fuse'),
    watchedOnly,
    sealfsBuilt: existsSync(nativeProgramPath('sealfs')),
    sessiondBuilt: existsSync(nativeProgramPath('sessiond')),
    bubblewrap: isOnPath('bwrap'),
    dbusProxy: isOnPath('xdg-dbus-proxy'),
    swapDevices: readLines('/proc/swaps')
      .slice(1)
      .map((line) => line.split(/\s+/)[0] ?? ''),
    corePattern: readLines('/proc/sys/kernel/core_pattern')[0] ?? '',
    display: displayServer(),
    keyStore: keyStore.text,
    keyStoreWeak: keyStore.weak,
  };
}

function displayServer(): MachineFacts['display'] {
  if ((process.env['WAYLAND_DISPLAY'] ?? '') !== '') return 'wayland';
  return (process.env['DISPLAY'] ?? '') === '' && !existsSync('/tmp/.X11-unix/X0') ? 'none' : 'x11';
}

function isAccessible(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function isOnPath(program: string): boolean {
  const path = `${process.env['PATH'] ?? ''}${delimiter}/usr/bin${delimiter}/usr/sbin`;
  return path.split(delimiter).some((directory) => existsSync(join(directory, program)));
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}
