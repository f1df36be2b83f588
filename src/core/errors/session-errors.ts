/** Expected failures of the sealed sessions. Layer: core. */
import type { ErrorTable } from './error-table.js';

export const SESSION_ERRORS = {
  E_SESSION_REFUSED: { errno: 'EACCES', message: 'This program may not run in a sealed session.' },
} as const satisfies ErrorTable;
