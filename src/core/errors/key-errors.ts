/** Expected failures of the key authority. Layer: core. */
import type { ErrorTable } from './error-table.js';

export const KEY_ERRORS = {
  E_KEY_UNKNOWN: { errno: 'ENOKEY', message: 'No key for this label and area is on this machine.' },
  E_KEY_WITHDRAWN: { errno: 'EKEYREVOKED', message: 'The key has been withdrawn.' },
  E_KEY_NAME: { errno: 'EINVAL', message: 'An area or label has characters that are not allowed.' },
  E_KEYCHAIN_LOCKED: {
    errno: 'EACCES',
    message: 'The keychain of this desktop session is locked. Unlock it and try again.',
  },
  E_KEYCHAIN_MISSING: {
    errno: 'ENXIO',
    message:
      'No keychain answers in this session. Start one (GNOME Keyring or KWallet) or use the service.',
  },
  E_KEY_STORE_OPEN: {
    errno: 'EACCES',
    message: 'The key file may be read by others than its owner, so it is not used.',
  },
  E_KEY_STORE_DAMAGED: { errno: 'EIO', message: 'The key file is damaged or belongs elsewhere.' },
  E_KEY_STORE_VERSION: { errno: 'EPROTO', message: 'The key file needs a newer Sealway.' },
  E_KEY_MASTER_MISSING: {
    errno: 'ENOKEY',
    message: 'The key file is here, but the secret that opens it is not in the keychain.',
  },
} as const satisfies ErrorTable;
