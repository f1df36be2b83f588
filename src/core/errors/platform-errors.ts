/** Expected failures of the platform (files, processes, sockets). Layer: core. */
import type { ErrorTable } from './error-table.js';

export const PLATFORM_ERRORS = {
  E_IO: { errno: 'EIO', message: 'Reading or writing failed.' },
  E_USAGE: { errno: 'EINVAL', message: 'The request is not of the right form.' },
  E_DISK_FULL: { errno: 'ENOSPC', message: 'The disk is full.' },
  E_READ_ONLY: { errno: 'EROFS', message: 'This place can only be read, not written.' },
  E_NO_PERMISSION: { errno: 'EACCES', message: 'This account may not do that here.' },
  E_NOT_FOUND: { errno: 'ENOENT', message: 'There is no such file or directory.' },
  E_ALREADY_EXISTS: { errno: 'EEXIST', message: 'There is already something of that name.' },
  E_WRONG_TYPE: {
    errno: 'ENOTDIR',
    message: 'A directory was found where a file is needed, or the other way round.',
  },
  E_NAME_TOO_LONG: { errno: 'ENAMETOOLONG', message: 'The name or path is too long.' },
  E_BUSY: { errno: 'EBUSY', message: 'Something else is using this at the moment.' },
  E_TOO_MANY_OPEN: { errno: 'EMFILE', message: 'Too many files are open.' },
  E_FILE_TOO_LARGE: { errno: 'EFBIG', message: 'The file would be larger than allowed here.' },
  E_NOT_RUNNING: { errno: 'ECONNREFUSED', message: 'The service to talk to is not running.' },
  E_CONNECTION_LOST: { errno: 'ECONNRESET', message: 'The other side closed the connection.' },
  E_TIMEOUT: { errno: 'ETIMEDOUT', message: 'There was no answer in time.' },
  E_LINE_TOO_LONG: { errno: 'EMSGSIZE', message: 'A message was longer than allowed.' },
  E_LINE_MALFORMED: { errno: 'EBADMSG', message: 'A message was not of the agreed form.' },
  E_STATE_IN_USE: {
    errno: 'EBUSY',
    message: 'Another Sealway agent is already using this state directory.',
  },
  E_PROCESS_START: { errno: 'ENOEXEC', message: 'A program could not be started.' },
} as const satisfies ErrorTable;
