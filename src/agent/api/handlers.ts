/**
 * What the local API can do, as the server sees it: one handler for each kind of request.
 *
 * Layer: agent. Types alone; the handlers are wired in `agent/main.ts` from the services.
 */
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type {
  LOCAL_STREAMS,
  LocalBody,
  LocalRequestKind,
  LocalStreamKind,
  ProgressEvent,
} from '../../contracts/local-api.js';
import type { Result } from '../../core/errors/result.js';
import type { Caller } from './caller.js';

/** Requests that take long and report progress as server-sent events. */
export type ProgressKind = 'protect' | 'unprotect';
export type PlainKind = Exclude<LocalRequestKind, ProgressKind>;

export type PlainHandlers = {
  readonly [K in PlainKind]: (caller: Caller, body: LocalBody<K>) => Promise<Result<unknown>>;
};

/** `report` may be called any number of times before the promise resolves. */
export type ProgressHandlers = {
  readonly [K in ProgressKind]: (
    caller: Caller,
    body: LocalBody<K>,
    report: (event: ProgressEvent) => void,
    signal: AbortSignal,
  ) => Promise<Result<{ readonly sealed: number; readonly skipped: number }>>;
};

/** Bytes in, and either bytes out or a JSON answer. */
export type StreamAnswer =
  { readonly bytes: Readable; readonly sizeBytes: number } | { readonly json: unknown };

export type StreamHandlers = {
  readonly [K in LocalStreamKind]: (
    caller: Caller,
    query: z.infer<(typeof LOCAL_STREAMS)[K]>,
    body: Readable,
  ) => Promise<Result<StreamAnswer>>;
};

export interface LocalHandlers {
  readonly plain: PlainHandlers;
  readonly progress: ProgressHandlers;
  readonly streams: StreamHandlers;
}
