/**
 * The log: one line an event on stderr, as JSON for machines or as text for people.
 *
 * Layer: platform. Stdout stays free for what a command was asked to print.
 * Attack: a secret that reaches a log outlives the process. Fields whose name speaks of a secret
 *   are replaced, bytes are shown by length only, long strings are cut; errors give code and
 *   detail, never a stack trace, unless the level is debug.
 * Not here: records (src/core/records). A log is for the person who repairs; it proves nothing.
 */
import { Writable } from 'node:stream';
import winston from 'winston';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each of its lines. */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly level?: LogLevel;
  readonly format?: 'json' | 'human';
  /** Where lines go; stderr by default. */
  readonly write?: (line: string) => void;
}

const SECRET_NAME = /key|secret|token|passphrase|password|credential/i;
/** Names that contain "key" and hold none: ids and counts. */
const HARMLESS_NAME = /^(keyId|keyIds|keys|keyCount|keychain|keyFile|publicKey)$/;
const MAX_TEXT = 2048;
const MAX_ENTRIES = 64;
const MAX_DEPTH = 5;

/** A logger on stderr. Level and format default to `info` and `json`. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const backend = winston.createLogger({
    level: options.level ?? 'info',
    format: options.format === 'human' ? humanFormat() : jsonFormat(),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston's own declaration derives the class in a way the rule does not follow
    transports: [new winston.transports.Stream({ stream: lineStream(write) })],
  });
  return wrap(backend, {});
}

/** A logger that drops everything; for tests and for callers that report by other means. */
export const silentLogger: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  child: () => silentLogger,
};

/** `value` as it may appear in a log: secrets replaced, bytes counted, long text cut. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return cut(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return `<${String(value.byteLength)} bytes>`;
  if (value instanceof Error) return describeError(value);
  if (depth >= MAX_DEPTH) return '<deeper>';
  if (Array.isArray(value)) {
    return value.slice(0, MAX_ENTRIES).map((entry) => redact(entry, depth + 1));
  }
  const fields: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value).slice(0, MAX_ENTRIES)) {
    fields[name] = isSecret(name, field) ? '<redacted>' : redact(field, depth + 1);
  }
  return fields;
}

function isSecret(name: string, value: unknown): boolean {
  if (HARMLESS_NAME.test(name)) return false;
  return SECRET_NAME.test(name) && value !== null && value !== undefined;
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}… (${String(text.length)})`;
}

function describeError(error: Error): Record<string, unknown> {
  const code = 'code' in error ? { code: String(error.code) } : {};
  return { name: error.name, message: cut(error.message), ...code };
}

function wrap(backend: winston.Logger, bound: LogFields): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      // The redaction runs here, before winston: no format can be configured to skip it.
      backend.log(level, cut(message), { fields: redact({ ...bound, ...fields }) });
    };
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    child: (fields) => wrap(backend, { ...bound, ...fields }),
  };
}

function jsonFormat(): winston.Logform.Format {
  return winston.format.printf(({ level, message, fields }) =>
    JSON.stringify({ time: new Date().toISOString(), level, message, ...asFields(fields) }),
  );
}

function humanFormat(): winston.Logform.Format {
  return winston.format.printf(({ level, message, fields }) => {
    const pairs = Object.entries(asFields(fields)).map(
      ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
    const prefix = level === 'info' ? '' : `${level}: `;
    return [`sealway: ${prefix}${String(message)}`, ...pairs].join(' ');
  });
}

function asFields(fields: unknown): Record<string, unknown> {
  return typeof fields === 'object' && fields !== null ? { ...fields } : {};
}

function lineStream(write: (line: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write: (line: Uint8Array | string, _encoding, done) => {
      write(typeof line === 'string' ? line : Buffer.from(line).toString('utf8'));
      done();
    },
  });
}
