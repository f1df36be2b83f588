/**
 * The routes of the local API: role, shape, then the handler; failures by their code.
 *
 * Layer: agent. Spec: docs/spec/local-api-v1.md. Contract: src/contracts/local-api.ts.
 * Attack: a web page that reaches the socket through a careless proxy carries Origin or Referer:
 *   refused. A body of the wrong shape is refused with the place named. Nothing thrown reaches the
 *   caller with its stack.
 * Not here: sockets (`sockets.ts`).
 */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import {
  LOCAL_REQUESTS,
  LOCAL_STREAMS,
  REQUIRED_ROLE,
  type ApiError,
  type LocalKind,
  type LocalRequestKind,
  type LocalStreamKind,
  type ProgressEvent,
} from '../../contracts/local-api.js';
import { ERROR_CODES } from '../../core/errors/catalogue.js';
import { fail, succeed, type AppError, type Result } from '../../core/errors/result.js';
import type { Logger } from '../../platform/logger.js';
import { hasRole, type Caller } from './caller.js';
import type { LocalHandlers, PlainKind, ProgressKind, StreamAnswer } from './handlers.js';

const JSON_LIMIT_BYTES = 64 * 1024;
const PROGRESS_KINDS: readonly ProgressKind[] = ['protect', 'unprotect'];

/** HTTP status by code; what is not listed is 409: the request was understood and not possible. */
const STATUS_OF: Partial<Record<AppError['code'], number>> = {
  E_USAGE: 400,
  E_API_UNKNOWN: 404,
  E_API_ROLE: 403,
  E_DECISION_DENIED: 403,
  E_DECISION_ASK: 403,
  E_IO: 500,
};

/** Builds the application; `callerOf` knows which socket a request came through. */
export function buildRoutes(
  handlers: LocalHandlers,
  callerOf: (request: IncomingMessage) => Caller,
  log: Logger,
): FastifyInstance {
  const app = Fastify({ logger: false, bodyLimit: JSON_LIMIT_BYTES, forceCloseConnections: true });
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => {
    done(null, payload);
  });
  app.addHook('onRequest', async (request, reply) => {
    if (request.headers.origin === undefined && request.headers.referer === undefined) return;
    await refuse(reply, fail('E_API_ROLE', 'requests from web pages are refused').error);
  });
  app.setNotFoundHandler((request, reply) =>
    refuse(reply, fail('E_API_UNKNOWN', `${request.method} ${request.url.slice(0, 80)}`).error),
  );
  app.setErrorHandler(async (error, request, reply) => {
    const known = (error as { statusCode?: number }).statusCode;
    if (known !== undefined && known < 500) {
      await refuse(reply, fail('E_USAGE', (error as Error).message).error);
      return;
    }
    log.error('a request ended in a bug', { url: request.url, error: String(error) });
    await refuse(reply, fail('E_IO', 'the agent could not finish this request; see its log').error);
  });
  const place = { app, callerOf };
  for (const kind of Object.keys(LOCAL_REQUESTS) as LocalRequestKind[]) {
    if (isProgressKind(kind)) addProgressRoute(place, kind, handlers);
    else addPlainRoute(place, kind, handlers);
  }
  for (const kind of Object.keys(LOCAL_STREAMS) as LocalStreamKind[]) {
    addStreamRoute(place, kind, handlers);
  }
  return app;
}

interface Place {
  readonly app: FastifyInstance;
  readonly callerOf: (request: IncomingMessage) => Caller;
}

function isProgressKind(kind: LocalRequestKind): kind is ProgressKind {
  return PROGRESS_KINDS.some((progress) => progress === kind);
}

function admit<T>(
  place: Place,
  kind: LocalKind,
  request: FastifyRequest,
  schema: z.ZodType<T>,
  value: unknown,
): Result<{ caller: Caller; value: T }> {
  const caller = place.callerOf(request.raw);
  if (!hasRole(caller, REQUIRED_ROLE[kind])) return fail('E_API_ROLE', kind);
  const checked = schema.safeParse(value ?? {});
  if (checked.success) return succeed({ caller, value: checked.data });
  const first = checked.error.issues[0];
  return fail(
    'E_USAGE',
    `${kind}: ${first?.path.join('.') ?? ''}: ${first?.message ?? 'malformed'}`,
  );
}

function addPlainRoute(place: Place, kind: PlainKind, handlers: LocalHandlers): void {
  place.app.post(`/v1/${kind}`, async (request, reply) => {
    const schema: z.ZodType = LOCAL_REQUESTS[kind];
    const admitted = admit(place, kind, request, schema, request.body);
    if (!admitted.ok) return refuse(reply, admitted.error);
    const handle = handlers.plain[kind] as (c: Caller, b: unknown) => Promise<Result<unknown>>;
    const answer = await handle(admitted.value.caller, admitted.value.value);
    return answer.ok ? reply.send(answer.value) : refuse(reply, answer.error);
  });
}

function addProgressRoute(place: Place, kind: ProgressKind, handlers: LocalHandlers): void {
  place.app.post(`/v1/${kind}`, async (request, reply) => {
    const schema: z.ZodType = LOCAL_REQUESTS[kind];
    const admitted = admit(place, kind, request, schema, request.body);
    if (!admitted.ok) return refuse(reply, admitted.error);
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const report = (event: ProgressEvent): void => {
      reply.raw.write(`data: ${JSON.stringify(event)}\n\n`);
    };
    const aborted = new AbortController();
    reply.raw.on('close', () => {
      aborted.abort();
    });
    const handle = handlers.progress[kind] as (
      c: Caller,
      b: unknown,
      r: (event: ProgressEvent) => void,
      s: AbortSignal,
    ) => Promise<Result<{ sealed: number; skipped: number }>>;
    const answer = await handle(
      admitted.value.caller,
      admitted.value.value,
      report,
      aborted.signal,
    ).catch((thrown: unknown) => fail('E_IO', thrown instanceof Error ? thrown.message : 'failed'));
    if (answer.ok) report({ type: 'done', ...answer.value });
    else report({ type: 'error', ...describe(answer.error) });
    reply.raw.end();
    return reply;
  });
}

function addStreamRoute(place: Place, kind: LocalStreamKind, handlers: LocalHandlers): void {
  const options = { bodyLimit: Number.MAX_SAFE_INTEGER };
  place.app.post(`/v1/${kind}`, options, async (request, reply) => {
    const schema: z.ZodType = LOCAL_STREAMS[kind];
    const admitted = admit(place, kind, request, schema, request.query);
    if (!admitted.ok) return refuse(reply, admitted.error);
    if (request.headers['content-type'] !== 'application/octet-stream') {
      return refuse(
        reply,
        fail('E_USAGE', `${kind}: content-type must be application/octet-stream`).error,
      );
    }
    const handle = handlers.streams[kind] as (
      c: Caller,
      q: unknown,
      b: Readable,
    ) => Promise<Result<StreamAnswer>>;
    const answer = await handle(
      admitted.value.caller,
      admitted.value.value,
      request.body as Readable,
    );
    if (!answer.ok) return refuse(reply, answer.error);
    if ('json' in answer.value) return reply.send(answer.value.json);
    return reply
      .header('content-type', 'application/octet-stream')
      .header('content-length', answer.value.sizeBytes)
      .send(answer.value.bytes);
  });
}

function describe(error: AppError): ApiError['error'] {
  return { code: error.code, message: ERROR_CODES[error.code].message, detail: error.detail };
}

function refuse(reply: FastifyReply, error: AppError): FastifyReply {
  return reply.code(STATUS_OF[error.code] ?? 409).send({ error: describe(error) });
}
