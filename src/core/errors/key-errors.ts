/** Expected failures of the key authority. Layer: core. */
import type { ErrorTable } from './error-table.js';

export const KEY_ERRORS = {
  E_KEY_UNKNOWN: { errno: 'ENOKEY', message: 'No key for this label and area is on this machine.' },
} as const satisfies ErrorTable;
