/**
 * `applications.yaml`: the programs that may run in a sealed session, and what each may touch.
 *
 * Layer: core. Spec: docs/spec/policy-set-v1.md, section 1. Too narrow a list and files no longer
 * open; too broad and protection dissolves: hence exact paths, no patterns.
 * Not here: whether a path is there and safe (`src/agent/policy/resolve-executables.ts`).
 */
import { z } from 'zod';
import { AbsolutePath, Name, Text } from './names.js';

const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/u, 'must be sha256: and 64 hex digits');

/** Trusted by its bytes, or by its place: owned by root and not writable by others. */
const PinnedExecutable = z.strictObject({ path: AbsolutePath, digest: Digest });
const OwnedExecutable = z.strictObject({ path: AbsolutePath, owner: z.literal('root') });
export type Executable = z.infer<typeof PinnedExecutable> | z.infer<typeof OwnedExecutable>;

/** `"*"` = any program; only a lab set may say so. */
const AnyProgram = z.literal('*');

const FileType = z.strictObject({
  extension: z
    .string()
    .regex(/^[a-z0-9]{1,16}$/u, 'must be lower-case letters and digits without the dot'),
  mime: z.string().regex(/^[a-z0-9.+-]+\/[a-z0-9.+-]+$/u, 'must be a MIME type such as text/plain'),
});

/** A bus name, or a prefix ending in `.*`, as xdg-dbus-proxy takes it. */
const BusName = z
  .string()
  .regex(
    /^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)+(\.\*)?$/u,
    'must be a D-Bus name such as org.a11y.Bus',
  );

/** `~` at the start stands for the employee's home. */
const Place = z.union([
  AbsolutePath,
  z
    .string()
    .regex(/^~(\/(?!\.{1,2}(\/|$))[^/\0]+)+$/u, 'must be an absolute path or start with ~/'),
]);

export const Application = z.strictObject({
  id: Name,
  names: Text,
  /** Paths which may be started; the first that exists is used to open a file. */
  start: z.union([AnyProgram, z.array(AbsolutePath).min(1).max(64)]),
  /** Paths which get the plain view. */
  executables: z.union([
    AnyProgram,
    z
      .array(z.union([OwnedExecutable, PinnedExecutable]))
      .min(1)
      .max(256),
  ]),
  fileTypes: z.array(FileType).max(256).default([]),
  network: z.enum(['none', 'host']).default('none'),
  dbus: z.array(BusName).max(64).default([]),
  display: z
    .strictObject({ x11: z.boolean().default(true), wayland: z.boolean().default(true) })
    .default({ x11: true, wayland: true }),
  readOnly: z.array(Place).max(64).default([]),
  readWrite: z.array(Place).max(64).default([]),
  /** Whether every child program gets the plain view, or only listed executables do. */
  childrenPlain: z.boolean().default(false),
  limits: z
    .strictObject({ processes: z.int().min(1).max(32768).default(512) })
    .default({ processes: 512 }),
  /** Argument array for opening a file; `%f` is the file. */
  openCommand: z.array(z.string().min(1).max(1024)).min(1).max(32).nullable().default(null),
});
export type Application = z.infer<typeof Application>;

export const ApplicationsFile = z.strictObject({
  applications: z.array(Application).min(1, 'needs at least one application').max(500),
});
export type ApplicationsFile = z.infer<typeof ApplicationsFile>;
