/**
 * The agent's end of one sealfs process's control socket: numbered requests, answers, events.
 *
 * Layer: native-bridge. Spec: docs/spec/sealfs-control-v1.md.
 * Not here: starting and restarting sealfs (`sealfs-process.ts`, `agent/mounts`), what events mean.
 */
import { createConnection, type Socket } from 'node:net';
import type { z } from 'zod';
import { SealfsAnswer, type SealfsCall, type SealfsEvent } from '../contracts/sealfs-control.js';
import { fail, succeed, type AppError, type Result } from '../core/errors/result.js';
import { openJsonLines, type JsonLinesConnection } from '../platform/json-lines.js';

export type SealfsCallError = AppError<'E_SEALFS_LOST' | 'E_SEALFS_REFUSED'>;

export interface SealfsClientOptions {
  /** Called once for each event, in order of sequence, also for those repeated after a reconnect. */
  readonly onEvent: (event: SealfsEvent) => void;
  /** Called once, when the connection has ended: sealfs died, or another agent took over. */
  readonly onClose: (reason: string) => void;
}

interface Pending {
  readonly call: string;
  readonly resolve: (answer: Result<Record<string, unknown>, SealfsCallError>) => void;
}

const MAX_LINE_BYTES = 4 * 1024 * 1024;

export class SealfsClient {
  private readonly connection: JsonLinesConnection;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private closed = false;

  private constructor(socket: Socket, options: SealfsClientOptions) {
    this.connection = openJsonLines(socket, {
      schema: SealfsAnswer,
      maxLineBytes: MAX_LINE_BYTES,
      onMessage: (message) => {
        if (message.type === 'event') options.onEvent(message);
        else this.settle(message);
      },
      onClose: (error) => {
        this.closed = true;
        this.failAll(error?.detail ?? 'sealfs closed the connection');
        options.onClose(error?.detail ?? 'connection closed');
      },
    });
  }

  /** Connects to the control socket at `path`; `E_SEALFS_LOST` when nobody listens there. */
  static connect(
    path: string,
    options: SealfsClientOptions,
  ): Promise<Result<SealfsClient, SealfsCallError>> {
    return new Promise((resolve) => {
      const socket = createConnection(path);
      socket.once('error', (cause) => {
        resolve(fail('E_SEALFS_LOST', cause.message, cause));
      });
      socket.once('connect', () => {
        resolve(succeed(new SealfsClient(socket, options)));
      });
    });
  }

  /**
   * Sends one request and waits for its answer.
   *
   * @returns the answer's fields checked by `schema`; `E_SEALFS_REFUSED` with sealfs's own code in
   *   the detail; `E_SEALFS_LOST` when the connection ends first.
   */
  async call<T>(request: SealfsCall, schema: z.ZodType<T>): Promise<Result<T, SealfsCallError>> {
    const answer = await this.send(request);
    if (!answer.ok) return answer;
    const checked = schema.safeParse(answer.value);
    if (checked.success) return succeed(checked.data);
    return fail('E_SEALFS_REFUSED', `${request.type}: answer of another shape`);
  }

  /** The same for requests whose answer carries nothing. */
  async order(request: SealfsCall): Promise<Result<void, SealfsCallError>> {
    const answer = await this.send(request);
    return answer.ok ? succeed(undefined) : answer;
  }

  close(): void {
    this.connection.end();
  }

  private send(request: SealfsCall): Promise<Result<Record<string, unknown>, SealfsCallError>> {
    if (this.closed)
      return Promise.resolve(fail('E_SEALFS_LOST', `${request.type}: not connected`));
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.pending.set(id, { call: request.type, resolve });
      this.connection.send({ ...request, id });
    });
  }

  private settle(message: Exclude<SealfsAnswer, SealfsEvent>): void {
    // An error without an id is about a line sealfs could not read: it closes the connection next.
    if (message.id === null) return;
    const waiting = this.pending.get(message.id);
    if (waiting === undefined) return;
    this.pending.delete(message.id);
    if (message.type === 'error') {
      waiting.resolve(
        fail('E_SEALFS_REFUSED', `${waiting.call}: ${message.code}: ${message.detail}`),
      );
    } else {
      waiting.resolve(succeed(message));
    }
  }

  private failAll(reason: string): void {
    for (const { call, resolve } of this.pending.values()) {
      resolve(fail('E_SEALFS_LOST', `${call}: ${reason}`));
    }
    this.pending.clear();
  }
}
