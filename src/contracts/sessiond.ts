/**
 * Messages between the agent and sessiond.
 *
 * Layer: contracts. Spec: docs/spec/sessiond-v1.md. Strict: an unknown key is an error.
 * The native side is src/native-bridge/native/sessiond/protocol.cpp; both are held to
 * test/vectors/sessiond/.
 * Not here: what session-client and sessiond say to each other, except for the test of the vectors.
 *
 * Protocol 1 (2026-11-21): first.
 */
import { z } from 'zod';

export const SESSIOND_PROTOCOL = 1;

const RequestId = z.int().min(1);
const NoNul = z.string().refine((text) => !text.includes('\0'), 'holds a NUL character');
const AbsolutePath = NoNul.max(4095).refine(
  (path) => path.startsWith('/') && !`${path}/`.includes('/../'),
  'must be an absolute path without ".."',
);
/** Names a directory of sessiond's, so it must be no path. */
export const SessionId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/u);
const DecimalString = z.string().regex(/^\d{1,20}$/u);
const Argv = z.array(NoNul).min(1).max(4096);
const Environment = z.record(z.string().regex(/^[^=\0]+$/u), NoNul);
/** What the dynamic loader obeys turns a listed program into any program. */
const SealedEnvironment = Environment.refine(
  (environment) => !Object.keys(environment).some(isLoaderVariable),
  'holds a variable of the dynamic loader',
);

/** True for the variables by which a caller could put code into a program it starts. */
export function isLoaderVariable(name: string): boolean {
  return name.startsWith('LD_') || name.startsWith('GLIBC_') || name === 'GCONV_PATH';
}

/** One place of a session's file system; they are laid in order, later ones over earlier ones. */
export const SessionBind = z.discriminatedUnion('mode', [
  z.strictObject({
    /** `tmpfs`: an empty place of the session's own. `dir`: made when it is missing. */
    mode: z.enum(['tmpfs', 'dir']),
    target: AbsolutePath,
  }),
  z.strictObject({
    mode: z.enum(['ro', 'rw', 'dev']),
    source: AbsolutePath,
    target: AbsolutePath,
    /** `stat.dev` that the source must have: the folder's sealfs mount and nothing else. */
    device: DecimalString.optional(),
  }),
]);
export type SessionBind = z.infer<typeof SessionBind>;

/** `pass`: the caller's own streams, so what the program prints leaves the session. */
export const SessionStdio = z.enum(['none', 'pass']);
export type SessionStdio = z.infer<typeof SessionStdio>;

export const SessionGrant = z.strictObject({
  id: SessionId,
  application: z.string().min(1).max(128),
  argv: Argv,
  cwd: AbsolutePath,
  /** The complete environment. */
  environment: SealedEnvironment,
  binds: z.array(SessionBind).max(512),
  network: z.boolean(),
  processes: z.int().min(1).max(65536),
  dbus: z
    .strictObject({
      address: z.string().startsWith('unix:').max(4095),
      talk: z.array(z.string().max(255)).max(64),
    })
    .nullable(),
  stdio: SessionStdio,
  seccomp: z.literal('default'),
});
export type SessionGrant = z.infer<typeof SessionGrant>;

export const AgentToSessiond = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('grant'), id: RequestId, session: SessionGrant }),
  z.strictObject({
    type: z.literal('join'),
    id: RequestId,
    session: SessionId,
    argv: Argv,
    cwd: AbsolutePath,
    environment: SealedEnvironment,
    stdio: SessionStdio,
  }),
  z.strictObject({
    type: z.literal('refuse'),
    id: RequestId,
    code: z.string().min(1).max(128),
    message: z.string().max(4096),
    ruleIds: z.array(z.string().max(256)).max(64),
  }),
  z.strictObject({ type: z.literal('go'), session: SessionId }),
  z.strictObject({ type: z.literal('kill'), session: SessionId }),
  z.strictObject({ type: z.literal('release'), session: SessionId }),
  z.strictObject({
    type: z.literal('remount'),
    session: SessionId,
    path: AbsolutePath,
    /** With `mountNamespace`, for a session of another sessiond. */
    pid: z.int().positive().optional(),
    mountNamespace: DecimalString.optional(),
  }),
]);
export type AgentToSessiond = z.infer<typeof AgentToSessiond>;
export type SessionJoin = Extract<AgentToSessiond, { type: 'join' }>;
export type SessionRefusal = Omit<Extract<AgentToSessiond, { type: 'refuse' }>, 'type' | 'id'>;

export const SessiondToAgent = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('ready'),
    protocol: z.literal(SESSIOND_PROTOCOL),
    mode: z.enum(['service', 'personal']),
    weaknesses: z.array(z.string()),
  }),
  z.strictObject({
    type: z.literal('request'),
    id: RequestId,
    uid: z.int().nonnegative(),
    gid: z.int().nonnegative(),
    pid: z.int().nonnegative(),
    argv: Argv,
    cwd: AbsolutePath,
    environment: Environment,
    application: z.string().nullable(),
    files: z.array(z.string()),
    detached: z.boolean(),
  }),
  z.strictObject({
    type: z.literal('created'),
    id: RequestId,
    session: SessionId,
    pid: z.int().positive(),
    mountNamespace: DecimalString,
  }),
  z.strictObject({
    type: z.literal('ended'),
    session: SessionId,
    status: z.int().nullable(),
    signal: z.int().nullable(),
    error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  }),
  z.strictObject({
    type: z.literal('remounted'),
    session: SessionId,
    path: AbsolutePath,
    ok: z.boolean(),
    detail: z.string(),
  }),
]);
export type SessiondToAgent = z.infer<typeof SessiondToAgent>;
export type SessionRequest = Extract<SessiondToAgent, { type: 'request' }>;
export type SessionCreated = Extract<SessiondToAgent, { type: 'created' }>;
export type SessionEnded = Extract<SessiondToAgent, { type: 'ended' }>;
export type SessionRemounted = Extract<SessiondToAgent, { type: 'remounted' }>;
export type SessiondReady = Extract<SessiondToAgent, { type: 'ready' }>;
