/**
 * Messages between the agent and a sealfs process.
 *
 * Layer: contracts. Spec: docs/spec/sealfs-control-v1.md. Strict: an unknown key is an error.
 * Not here: the socket (`native-bridge/sealfs-client.ts`).
 *
 * Protocol 1 (2026-11-21): first.
 */
import { z } from 'zod';
import { utf8Bytes } from '../core/policy/source-text.js';

export const SEALFS_PROTOCOL = 1;

/** An unsigned number of 64 bits, which JSON's numbers may not hold. */
const DecimalString = z
  .string()
  .regex(/^\d{1,20}$/)
  .refine((text) => /^\d+$/.test(text) && BigInt(text) < 2n ** 64n, 'more than 64 bits');
/** Not the highest: to chown(2) that means no change. */
const Uid = z.int().nonnegative().max(0xffff_fffe);
const HexId = z.string().regex(/^[0-9a-f]{32}$/);
const HexKey = z.string().regex(/^[0-9a-f]{64}$/);
const RequestId = z.int().nonnegative();
const Sequence = z.int().nonnegative();

/** 1 … `max` bytes of UTF-8, as the container holds them: a Chinese character takes three. */
const shortText = (max: number): z.ZodString =>
  z
    .string()
    .min(1)
    .refine((text) => utf8Bytes(text) <= max, `longer than ${String(max)} bytes`);
const Area = shortText(96);
const Label = shortText(64);
const Epoch = z.int().min(1).max(0xffff_ffff);

export const KeyName = z.strictObject({
  area: Area,
  label: Label,
  epoch: Epoch,
});

export const FolderConfiguration = z.strictObject({
  label: Label,
  area: Area,
  keyEpoch: Epoch,
  deviceId: HexId,
  exclude: z.array(shortText(255)).max(64),
  preamble: z
    .string()
    .refine((text) => utf8Bytes(text) <= 502, 'longer than 502 bytes')
    .optional(),
  profile: z.boolean(),
});
export type FolderConfiguration = z.infer<typeof FolderConfiguration>;

const Verdict = z.enum(['allow', 'deny']);

export const SealfsTable = z.strictObject({
  version: z.string(),
  labels: z.array(
    z.strictObject({
      name: z.string(),
      level: z.int().nonnegative(),
      barrier: z.boolean(),
      recordSealedOpens: z.boolean(),
    }),
  ),
  applications: z.array(
    z.strictObject({ id: z.string(), childrenPlain: z.boolean(), anyExecutable: z.boolean() }),
  ),
  executables: z.array(
    z.strictObject({
      application: z.string(),
      path: z.string(),
      dev: DecimalString,
      ino: DecimalString,
      ctimeNs: DecimalString,
    }),
  ),
  rows: z.array(
    z.strictObject({
      uid: z.union([Uid, z.literal('*')]),
      application: z.string(),
      label: z.string(),
      area: z.string(),
      open: Verdict,
      modify: Verdict,
      ruleIds: z.array(z.string()),
    }),
  ),
});
export type SealfsTable = z.infer<typeof SealfsTable>;

export const SealfsSession = z.strictObject({
  id: shortText(64),
  uid: Uid,
  application: z.string().min(1),
  mountNamespace: DecimalString,
  /** Of its first process: sealfs then holds the namespace, so that its number is not reused. */
  pid: z.int().positive().optional(),
});
export type SealfsSession = z.infer<typeof SealfsSession>;

export const SealfsRequest = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    id: RequestId,
    protocol: z.literal(SEALFS_PROTOCOL),
    agentPid: z.int().positive(),
  }),
  z.strictObject({ type: z.literal('configure'), id: RequestId, folder: FolderConfiguration }),
  z.strictObject({ type: z.literal('table'), id: RequestId, table: SealfsTable }),
  z.strictObject({
    type: z.literal('keys-add'),
    id: RequestId,
    keys: z.array(KeyName.extend({ key: HexKey })),
  }),
  z.strictObject({ type: z.literal('keys-withdraw'), id: RequestId, keys: z.array(KeyName) }),
  z.strictObject({ type: z.literal('sessions'), id: RequestId, sessions: z.array(SealfsSession) }),
  z.strictObject({ type: z.literal('session-add'), id: RequestId, session: SealfsSession }),
  z.strictObject({ type: z.literal('session-remove'), id: RequestId, sessionId: z.string() }),
  z.strictObject({ type: z.literal('barrier-release'), id: RequestId, sequence: Sequence }),
  z.strictObject({ type: z.literal('events-ack'), id: RequestId, upTo: Sequence }),
  z.strictObject({ type: z.literal('seal-pending'), id: RequestId }),
  z.strictObject({ type: z.literal('flush'), id: RequestId }),
  z.strictObject({ type: z.literal('health'), id: RequestId }),
  z.strictObject({ type: z.literal('unmount'), id: RequestId, lazy: z.boolean() }),
]);
export type SealfsRequest = z.infer<typeof SealfsRequest>;

/** A request as callers write it: the client numbers it. */
export type SealfsCall = SealfsRequest extends infer R
  ? R extends SealfsRequest
    ? Omit<R, 'id'>
    : never
  : never;

export const SealfsHello = z.object({
  protocol: z.literal(SEALFS_PROTOCOL),
  pid: z.int().positive(),
  folder: z.string(),
  mounted: z.boolean(),
  spooledFrom: Sequence,
  spooledTo: Sequence,
});

const Percentiles = z.strictObject({ p50: z.number(), p99: z.number() });
export const SealfsHealth = z.object({
  requests: z.number(),
  queue: z.number(),
  eventsSpooled: z.number(),
  eventsDropped: z.number(),
  openFiles: z.number(),
  nodes: z.number(),
  latencyUs: z.strictObject({
    lookup: Percentiles,
    open: Percentiles,
    read: Percentiles,
    write: Percentiles,
  }),
  verdicts: z.strictObject({ plain: z.number(), sealed: z.number(), refused: z.number() }),
});
export type SealfsHealth = z.infer<typeof SealfsHealth>;

export const SealPendingAnswer = z.object({
  sealed: z.int().nonnegative(),
  skipped: z.array(z.strictObject({ path: z.string(), why: z.string() })),
});

export const SealfsEvent = z.strictObject({
  type: z.literal('event'),
  sequence: Sequence,
  timeMs: z.number(),
  monotonicNs: DecimalString,
  op: z.enum([
    'open',
    'close',
    'create',
    'sealed-in',
    'rename',
    'unlink',
    'truncate',
    'integrity',
    'key-withdrawn',
    'relabel',
    'dropped',
    'recovered',
  ]),
  uid: z.int().nonnegative(),
  pid: z.int().nonnegative(),
  executable: z.string(),
  session: z.string().nullable(),
  application: z.string().nullable(),
  file: z
    .strictObject({
      id: HexId.nullable(),
      path: z.string(),
      label: z.string().nullable(),
      area: z.string().nullable(),
      plainSize: z.number().nullable(),
    })
    .nullable(),
  outcome: z.enum(['ok', 'refused', 'error']),
  errno: z.string().nullable(),
  view: z.enum(['plain', 'sealed', 'raw']).nullable(),
  ruleIds: z.array(z.string()),
  tableVersion: z.string().nullable(),
  details: z.record(z.string(), z.unknown()),
});
export type SealfsEvent = z.infer<typeof SealfsEvent>;

/** Answers carry further fields by request; the client hands them to the caller's schema. */
export const SealfsAnswer = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('ok'), id: RequestId }),
  z.strictObject({
    type: z.literal('error'),
    id: RequestId.nullable(),
    code: z.string(),
    detail: z.string(),
  }),
  SealfsEvent,
]);
export type SealfsAnswer = z.infer<typeof SealfsAnswer>;

/** What sealfs prints on standard output when it serves. */
export const SealfsReady = z.strictObject({ type: z.literal('ready'), pid: z.int().positive() });
