/** Expected failures of the platform (files, processes, sockets). Layer: core. */
import type { ErrorTable } from './error-table.js';

export const PLATFORM_ERRORS = {
  E_IO: { errno: 'EIO', message: 'Reading or writing failed.' },
  E_USAGE: { errno: 'EINVAL', message: 'The request is not of the right form.' },
} as const satisfies ErrorTable;
