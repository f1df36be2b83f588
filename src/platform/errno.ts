/**
 * The one table from a system error's errno to a code of the catalogue.
 *
 * Layer: platform. Used wherever a Node call fails in an expected way.
 * Not here: the texts that people read (src/core/errors).
 */
import { fail, type AppError } from '../core/errors/result.js';
import type { ErrorCode } from '../core/errors/catalogue.js';

const CODE_OF_ERRNO: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'E_DISK_FULL',
  EDQUOT: 'E_DISK_FULL',
  EROFS: 'E_READ_ONLY',
  EACCES: 'E_NO_PERMISSION',
  EPERM: 'E_NO_PERMISSION',
  ENOENT: 'E_NOT_FOUND',
  EEXIST: 'E_ALREADY_EXISTS',
  ENOTEMPTY: 'E_ALREADY_EXISTS',
  EISDIR: 'E_WRONG_TYPE',
  ENOTDIR: 'E_WRONG_TYPE',
  ENAMETOOLONG: 'E_NAME_TOO_LONG',
  EBUSY: 'E_BUSY',
  ETXTBSY: 'E_BUSY',
  EAGAIN: 'E_BUSY',
  EMFILE: 'E_TOO_MANY_OPEN',
  ENFILE: 'E_TOO_MANY_OPEN',
  EFBIG: 'E_FILE_TOO_LARGE',
  ECONNREFUSED: 'E_NOT_RUNNING',
  ECONNRESET: 'E_CONNECTION_LOST',
  EPIPE: 'E_CONNECTION_LOST',
  ETIMEDOUT: 'E_TIMEOUT',
};

/** The symbolic errno ("ENOSPC") of something thrown by Node, or `undefined` for other values. */
export function errnoOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** The catalogue's code for something thrown by a system call; `E_IO` where the table is silent. */
export function codeOfThrown(thrown: unknown): ErrorCode {
  return CODE_OF_ERRNO[errnoOf(thrown) ?? ''] ?? 'E_IO';
}

/**
 * Turns a thrown system error into a failure.
 *
 * @param what - what was being done and to what, without contents: "write keys.json".
 * @throws the same value again when it is no system error: that is a bug, not a failure.
 */
export function failFromThrown(
  thrown: unknown,
  what: string,
): { readonly ok: false; readonly error: AppError } {
  const errno = errnoOf(thrown);
  if (errno === undefined || !/^E[A-Z0-9]+$/.test(errno)) throw thrown;
  return fail(codeOfThrown(thrown), `${what}: ${errno}`, thrown);
}
