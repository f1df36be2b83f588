/**
 * Newline-delimited JSON over a socket: bounded, checked by a schema, closed on the first fault.
 *
 * Layer: platform.
 * Attack: a peer that sends no newline, or gigabytes, or half a character. A line longer than the
 *   limit is refused before it is complete; bytes that are no UTF-8, no JSON or not of the schema
 *   end the connection with a named error, because after a fault the border between messages is
 *   a guess.
 * Not here: what the messages mean, requests and answers (the protocols' own files).
 */
import type { Socket } from 'node:net';
import type { z } from 'zod';
import { fail, succeed, type AppError, type Result } from '../core/errors/result.js';

export type JsonLinesError = AppError<'E_LINE_TOO_LONG' | 'E_LINE_MALFORMED' | 'E_CONNECTION_LOST'>;

export interface JsonLinesOptions<Message> {
  /** What each line from the peer must be. Make it strict: unknown keys are the peer's mistake. */
  readonly schema: z.ZodType<Message>;
  /** Longest accepted line in bytes, without its newline. Default 1 MiB. */
  readonly maxLineBytes?: number;
  /** Called in order, once for each message. What it throws is a bug and is not caught. */
  readonly onMessage: (message: Message) => void;
  /** Called exactly once: `undefined` when the peer ended the stream after a whole line. */
  readonly onClose: (error: JsonLinesError | undefined) => void;
}

export interface JsonLinesConnection {
  /**
   * Queues one message.
   *
   * @returns false when the socket's buffer is full: wait for `drained()` before sending more.
   *   Also false after the end, when the message is dropped; `onClose` has told about that.
   */
  send(message: unknown): boolean;
  /** Resolves when the socket takes more, or is closed. */
  drained(): Promise<void>;
  /** Flushes what is queued and closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

const NEWLINE = 0x0a;

/** Speaks JSON lines on `socket`, which from here on belongs to the connection. */
export function openJsonLines<Message>(
  socket: Socket,
  options: JsonLinesOptions<Message>,
): JsonLinesConnection {
  const lines = new LineSplitter(options.maxLineBytes ?? 1024 * 1024);
  let closed = false;
  const close = (error: JsonLinesError | undefined): void => {
    if (closed) return;
    closed = true;
    socket.destroy();
    options.onClose(error);
  };
  socket.on('data', (chunk: Buffer) => {
    for (const line of lines.push(chunk)) {
      if (closed) return;
      const message = line.ok ? parseLine(line.value, options.schema) : line;
      if (!message.ok) {
        close(message.error);
        return;
      }
      options.onMessage(message.value);
    }
  });
  socket.on('error', (cause) => {
    close(fail('E_CONNECTION_LOST', cause.message, cause).error);
  });
  socket.on('close', () => {
    const rest = lines.pendingBytes;
    const detail = `the peer closed in the middle of a line, ${String(rest)} bytes in`;
    close(rest === 0 ? undefined : fail('E_LINE_MALFORMED', detail).error);
  });
  return connectionFor(socket, () => closed);
}

function connectionFor(socket: Socket, isClosed: () => boolean): JsonLinesConnection {
  return {
    send: (message) => {
      if (isClosed() || !socket.writable) return false;
      return socket.write(`${JSON.stringify(message)}\n`);
    },
    drained: () =>
      new Promise((resolve) => {
        if (isClosed() || !socket.writableNeedDrain) {
          resolve();
          return;
        }
        const done = (): void => {
          socket.off('drain', done);
          socket.off('close', done);
          resolve();
        };
        socket.on('drain', done);
        socket.on('close', done);
      }),
    end: () => socket.end(),
    destroy: () => socket.destroy(),
  };
}

/**
 * Checks one line.
 *
 * @returns the message; `E_LINE_MALFORMED` saying where it departs from the schema, never what
 *   the line held.
 */
export function parseLine<Message>(
  line: Uint8Array,
  schema: z.ZodType<Message>,
): Result<Message, AppError<'E_LINE_MALFORMED'>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line));
  } catch {
    return fail('E_LINE_MALFORMED', 'a line is not JSON in UTF-8');
  }
  const checked = schema.safeParse(value);
  if (checked.success) return succeed(checked.data);
  const where = checked.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.map(String).join('.') || 'message'}: ${issue.message}`);
  return fail('E_LINE_MALFORMED', where.join('; '));
}

/** Cuts a stream of bytes at newlines. Holds at most one unfinished line of the permitted length. */
class LineSplitter {
  private readonly maxLineBytes: number;
  private parts: Buffer[] = [];
  pendingBytes = 0;

  constructor(maxLineBytes: number) {
    this.maxLineBytes = maxLineBytes;
  }

  *push(chunk: Buffer): Generator<Result<Buffer, AppError<'E_LINE_TOO_LONG'>>> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      const piece = chunk.subarray(start, end === -1 ? chunk.length : end);
      if (this.pendingBytes + piece.length > this.maxLineBytes) {
        this.take();
        yield fail('E_LINE_TOO_LONG', `a line has more than ${String(this.maxLineBytes)} bytes`);
        return;
      }
      this.parts.push(piece);
      this.pendingBytes += piece.length;
      if (end === -1) return;
      yield succeed(this.take());
      start = end + 1;
    }
  }

  private take(): Buffer {
    const line = this.parts.length === 1 ? this.parts[0] : undefined;
    const whole = line ?? Buffer.concat(this.parts);
    this.parts = [];
    this.pendingBytes = 0;
    return whole;
  }
}
