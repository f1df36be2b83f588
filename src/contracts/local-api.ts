/**
 * The local API: what the CLI, the tray and scripts may ask the agent on this machine.
 *
 * Layer: contracts. Transport: HTTP over a Unix socket, one socket a user; the socket is the
 * identity (docs/spec/local-api-v1.md). Every kind is `POST /v1/<kind>` with a strict JSON body,
 * but for `seal`, `unseal` and `import`, which carry a file's bytes and their parameters in the
 * query.
 * Not here: who a socket belongs to, and the handlers (`agent/api`).
 *
 * Version 1 (2026-11-21): first.
 */
import { z } from 'zod';

export const LOCAL_API_VERSION = 1;

/** `any-local-user`: whoever owns the socket. `admin`: root's socket, or the user in personal mode. */
export type LocalRole = 'any-local-user' | 'admin';

const AbsolutePath = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^\/[^\0]*$/, 'an absolute path is needed');
const Name = z.string().min(1).max(96);

export const StatusRequest = z.strictObject({});
export const FoldersRequest = z.strictObject({});
export const SessionsRequest = z.strictObject({});
export const DoctorRequest = z.strictObject({});
export const StopRequest = z.strictObject({});
export const ProtectRequest = z.strictObject({
  directory: AbsolutePath,
  label: Name.optional(),
  area: Name.optional(),
});
export const UnprotectRequest = z.strictObject({
  directory: AbsolutePath,
  unseal: z.boolean(),
});
export const OpenRequest = z.strictObject({ file: AbsolutePath });
export const AuditTailRequest = z.strictObject({ count: z.int().min(1).max(10_000) });
export const SealQuery = z.strictObject({
  label: Name.optional(),
  area: Name.optional(),
  name: z.string().min(1).max(255),
});
export const UnsealQuery = z.strictObject({
  name: z.string().min(1).max(255),
  justification: z.string().max(2000).optional(),
});
export const ImportQuery = z.strictObject({ name: z.string().min(1).max(255) });

/** Body schema of each kind that takes JSON. */
export const LOCAL_REQUESTS = {
  status: StatusRequest,
  folders: FoldersRequest,
  sessions: SessionsRequest,
  doctor: DoctorRequest,
  stop: StopRequest,
  protect: ProtectRequest,
  unprotect: UnprotectRequest,
  open: OpenRequest,
  'audit-tail': AuditTailRequest,
} as const;

/** Query schema of each kind that takes a file's bytes. */
export const LOCAL_STREAMS = { seal: SealQuery, unseal: UnsealQuery, import: ImportQuery } as const;

export type LocalRequestKind = keyof typeof LOCAL_REQUESTS;
export type LocalStreamKind = keyof typeof LOCAL_STREAMS;
export type LocalKind = LocalRequestKind | LocalStreamKind;
export type LocalBody<K extends LocalRequestKind> = z.infer<(typeof LOCAL_REQUESTS)[K]>;

/** Who may ask for what. A kind without a row does not compile. */
export const REQUIRED_ROLE = {
  status: 'any-local-user',
  folders: 'any-local-user',
  sessions: 'any-local-user',
  doctor: 'any-local-user',
  stop: 'admin',
  protect: 'admin',
  unprotect: 'admin',
  open: 'any-local-user',
  'audit-tail': 'any-local-user',
  seal: 'any-local-user',
  unseal: 'any-local-user',
  import: 'any-local-user',
} as const satisfies Record<LocalKind, LocalRole>;

export const ApiError = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string(), detail: z.string() }),
});
export type ApiError = z.infer<typeof ApiError>;

export const FolderStatus = z.strictObject({
  directory: z.string(),
  label: z.string(),
  area: z.string(),
  state: z.enum(['sealing', 'mounted', 'watched', 'restarting', 'failed']),
  detail: z.string(),
  profile: z.boolean(),
  engine: z.enum(['sealfs', 'watched-folder']),
  sealfsPid: z.int().nullable(),
});
export type FolderStatus = z.infer<typeof FolderStatus>;

export const FoldersAnswer = z.strictObject({ folders: z.array(FolderStatus) });

export const StatusAnswer = z.strictObject({
  apiVersion: z.literal(LOCAL_API_VERSION),
  pid: z.int(),
  mode: z.enum(['service', 'personal']),
  uid: z.int(),
  startedAtMs: z.number(),
  policy: z.strictObject({ name: z.string(), version: z.string(), errors: z.array(z.string()) }),
  folders: z.array(FolderStatus),
  sessions: z.int(),
  records: z.strictObject({ lastSequence: z.int(), headHash: z.string() }),
  sessionSocket: z.string().nullable(),
});
export type StatusAnswer = z.infer<typeof StatusAnswer>;

export const SessionStatus = z.strictObject({
  id: z.string(),
  uid: z.int(),
  user: z.string(),
  application: z.string(),
  argv: z.array(z.string()),
  pid: z.int().nullable(),
  startedAtMs: z.number(),
});
export type SessionStatus = z.infer<typeof SessionStatus>;
export const SessionsAnswer = z.strictObject({ sessions: z.array(SessionStatus) });

/** One line of a progress stream (`text/event-stream`): protect and unprotect report by it. */
export const ProgressEvent = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('progress'),
    filesDone: z.number(),
    filesTotal: z.number(),
    bytesDone: z.number(),
    bytesTotal: z.number(),
    bytesPerSecond: z.number(),
    secondsLeft: z.number().nullable(),
  }),
  z.strictObject({
    type: z.literal('finding'),
    path: z.string(),
    code: z.string(),
    detail: z.string(),
  }),
  z.strictObject({ type: z.literal('done'), sealed: z.number(), skipped: z.number() }),
  z.strictObject({
    type: z.literal('error'),
    code: z.string(),
    message: z.string(),
    detail: z.string(),
  }),
]);
export type ProgressEvent = z.infer<typeof ProgressEvent>;

/** What `sealway open` must start, and where. */
export const OpenAnswer = z.strictObject({
  application: z.string(),
  argv: z.array(z.string()),
  file: z.string(),
});
export const ImportAnswer = z.strictObject({ file: z.string() });

export const DoctorFinding = z.strictObject({
  check: z.string(),
  state: z.enum(['enforced', 'watched', 'not-possible', 'warning', 'ok']),
  reason: z.string(),
  nextStep: z.string().nullable(),
});
export type DoctorFinding = z.infer<typeof DoctorFinding>;
export const DoctorAnswer = z.strictObject({ findings: z.array(DoctorFinding) });

export const AuditTailAnswer = z.strictObject({ records: z.array(z.unknown()) });
