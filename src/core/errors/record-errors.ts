/** Expected failures of the trail of records. Layer: core. */
import type { ErrorTable } from './error-table.js';

export const RECORD_ERRORS = {
  E_TRAIL_BROKEN: { errno: 'EIO', message: 'The chain of records is broken.' },
  E_TRAIL_NOT_FOUND: { errno: 'ENOENT', message: 'There is no trail of records here.' },
  E_TRAIL_VERSION: { errno: 'EPROTO', message: 'This trail of records needs a newer Sealway.' },
  E_TRAIL_FORMAT: { errno: 'EBADMSG', message: 'This is not a trail of records.' },
  E_RECORD_INVALID: { errno: 'EINVAL', message: 'An event cannot be written as a record.' },
  E_RECORD_NOT_DURABLE: {
    errno: 'EIO',
    message: 'A record could not be stored safely at this moment.',
  },
  E_RECORD_QUEUE_FULL: { errno: 'ENOBUFS', message: 'Too many records are waiting to be stored.' },
  E_RECORD_CLOSED: { errno: 'ESHUTDOWN', message: 'The trail of records has been closed.' },
} as const satisfies ErrorTable;
