/** Expected failures of the protected folders. Layer: core. */
import type { ErrorTable } from './error-table.js';

export const FOLDER_ERRORS = {
  E_FOLDER_NOT_FOUND: { errno: 'ENOENT', message: 'There is no such folder.' },
  E_FOLDER_CANCELLED: { errno: 'ECANCELED', message: 'The work on this folder was stopped.' },
  E_FOLDER_FILE_CHANGED: {
    errno: 'EBUSY',
    message: 'The file was being changed, so it was left as it is.',
  },
  E_FOLDER_FILE_IN_USE: {
    errno: 'ETXTBSY',
    message: 'Another program is writing this file, so it was left as it is.',
  },
  E_FOLDER_HARD_LINK_OUTSIDE: {
    errno: 'EMLINK',
    message: 'This file has another name outside the folder, so it was left as it is.',
  },
  E_FOLDER_NOT_READ_BACK: {
    errno: 'EIO',
    message: 'What was written did not read back the same, so the file was left as it is.',
  },
} as const satisfies ErrorTable;
