/** Expected failures of the trail of records. Layer: core. */
import type { ErrorTable } from './error-table.js';

export const RECORD_ERRORS = {
  E_TRAIL_BROKEN: { errno: 'EIO', message: 'The chain of records is broken.' },
} as const satisfies ErrorTable;
