/** Expected failures of the sealed container. Layer: core. */
import type { ErrorTable } from './error-table.js';

export const CONTAINER_ERRORS = {
  E_CONTAINER_SHORT: { errno: 'EIO', message: 'This is too short to be a sealed file.' },
  E_CONTAINER_MAGIC: { errno: 'EINVAL', message: 'This is not a sealed file.' },
  E_CONTAINER_VERSION: { errno: 'EPROTO', message: 'This sealed file needs a newer Sealway.' },
  E_CONTAINER_SUITE: {
    errno: 'EPROTO',
    message: 'This sealed file uses a cipher suite this Sealway does not have.',
  },
  E_CONTAINER_HEADER: {
    errno: 'EIO',
    message: 'The header of this sealed file is damaged or was changed.',
  },
  E_CONTAINER_KEY: {
    errno: 'ENOKEY',
    message: 'The key for this sealed file is not here, or it is the wrong one.',
  },
  E_CONTAINER_CHUNK: {
    errno: 'EIO',
    message: 'A part of this sealed file is damaged or was changed.',
  },
  E_CONTAINER_TRUNCATED: { errno: 'EIO', message: 'This sealed file is incomplete.' },
  E_CONTAINER_SEAL: {
    errno: 'EIO',
    message:
      'Parts of this sealed file do not belong together (older parts were put back, or parts are missing).',
  },
} as const satisfies ErrorTable;
