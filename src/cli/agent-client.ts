/**
 * Client of the agent's local API: JSON requests, progress streams, file streams.
 *
 * Layer: cli. Contract: src/contracts/local-api.ts. Answers are checked: an agent of another
 * version is told apart from a failure.
 */
import { request, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import {
  ApiError,
  ProgressEvent,
  type LocalBody,
  type LocalRequestKind,
  type LocalStreamKind,
} from '../contracts/local-api.js';
import { complaintOf, type Complaint } from './output.js';

/** Thrown by everything here; `main.ts` prints it as one line and exits with status 1. */
export class CommandFailure extends Error {
  readonly complaint: Complaint;

  constructor(complaint: Complaint) {
    super(complaint.message);
    this.complaint = complaint;
  }

  static of(code: string, detail: string): CommandFailure {
    return new CommandFailure(complaintOf(code, detail));
  }
}

const ANSWER_LIMIT_BYTES = 64 * 1024 * 1024;

export class AgentClient {
  private readonly socketPath: string;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** One question, one answer of `schema`. */
  async ask<K extends LocalRequestKind, T>(
    kind: K,
    body: LocalBody<K>,
    schema: z.ZodType<T>,
  ): Promise<T> {
    const response = await this.post(kind, 'application/json', JSON.stringify(body));
    return checked(kind, await readJson(response), response.statusCode, schema);
  }

  /** A long request: `report` sees each step; resolves with the last one. */
  async follow<K extends 'protect' | 'unprotect'>(
    kind: K,
    body: LocalBody<K>,
    report: (event: ProgressEvent) => void,
  ): Promise<Extract<ProgressEvent, { type: 'done' }>> {
    const response = await this.post(kind, 'application/json', JSON.stringify(body));
    if (response.statusCode !== 200) throw failureOf(await readJson(response));
    for await (const line of createInterface({ input: response })) {
      if (!line.startsWith('data: ')) continue;
      const event = ProgressEvent.parse(JSON.parse(line.slice(6)));
      if (event.type === 'done') return event;
      if (event.type === 'error') throw CommandFailure.of(event.code, event.detail);
      report(event);
    }
    throw CommandFailure.of('E_CONNECTION_LOST', `${kind}: the agent stopped before it was done`);
  }

  /** Sends a file's bytes; returns the response, whose body is the answer's bytes or JSON. */
  async stream(
    kind: LocalStreamKind,
    query: Readonly<Record<string, string>>,
    body: Readable,
  ): Promise<IncomingMessage> {
    const path = `${kind}?${new URLSearchParams(query).toString()}`;
    const response = await this.post(path, 'application/octet-stream', body);
    if (response.statusCode !== 200) throw failureOf(await readJson(response));
    return response;
  }

  private post(
    path: string,
    contentType: string,
    body: string | Readable,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          socketPath: this.socketPath,
          method: 'POST',
          path: `/v1/${path}`,
          headers: { 'content-type': contentType, host: 'sealway' },
        },
        resolve,
      );
      outgoing.once('error', (cause: NodeJS.ErrnoException) => {
        reject(connectionFailure(cause, this.socketPath));
      });
      if (typeof body === 'string') outgoing.end(body);
      else {
        body.once('error', (cause) => outgoing.destroy(cause));
        body.pipe(outgoing);
      }
    });
  }
}

function connectionFailure(cause: NodeJS.ErrnoException, socketPath: string): CommandFailure {
  if (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED') {
    return CommandFailure.of('E_AGENT_AWAY', `nobody answers at ${socketPath}`);
  }
  if (cause.code === 'EACCES') return CommandFailure.of('E_NO_PERMISSION', socketPath);
  return CommandFailure.of('E_CONNECTION_LOST', cause.message);
}

async function readJson(response: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > ANSWER_LIMIT_BYTES)
      throw CommandFailure.of('E_LINE_TOO_LONG', 'answer of the agent');
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown;
  } catch {
    throw CommandFailure.of('E_LINE_MALFORMED', 'the agent answered something that is not JSON');
  }
}

function failureOf(answer: unknown): CommandFailure {
  const error = ApiError.safeParse(answer);
  if (error.success) return new CommandFailure(error.data.error);
  return CommandFailure.of('E_LINE_MALFORMED', 'the agent answered an error of another shape');
}

function checked<T>(
  kind: string,
  answer: unknown,
  status: number | undefined,
  schema: z.ZodType<T>,
): T {
  if (status !== 200) throw failureOf(answer);
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw CommandFailure.of('E_LINE_MALFORMED', `${kind}: agent and CLI are of different versions`);
}
