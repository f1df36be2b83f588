/**
 * Where the native programs of this installation lie.
 *
 * Layer: native-bridge. In a checkout they are in build/native/bin; an installed package sets
 * SEALWAY_NATIVE_DIR in its unit file. The agent reads it at start only: a user cannot set it for
 * a service.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type NativeProgram = 'sealfs' | 'sessiond' | 'session-client';

/** The directory that holds the native programs. */
export function nativeDirectory(): string {
  const configured = process.env['SEALWAY_NATIVE_DIR'];
  if (configured !== undefined && configured !== '') return configured;
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory);
    if (parent === directory) return '/usr/lib/sealway/native';
    directory = parent;
  }
  return join(directory, 'build', 'native', 'bin');
}

/** Absolute path of `program`; the caller finds out whether it is there by starting it. */
export function nativeProgramPath(program: NativeProgram): string {
  return join(nativeDirectory(), program);
}
