/** Expected failures of the protected folders. Layer: core. */
import type { ErrorTable } from './error-table.js';

export const FOLDER_ERRORS = {
  E_FOLDER_NOT_FOUND: { errno: 'ENOENT', message: 'There is no such folder.' },
} as const satisfies ErrorTable;
