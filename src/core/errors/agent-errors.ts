/** Expected failures of the agent: mounts, local API, start. Layer: core. */
import type { ErrorTable } from './error-table.js';

export const AGENT_ERRORS = {
  E_SEALFS_START: { errno: 'EIO', message: 'The protected folder could not be mounted.' },
  E_SEALFS_LOST: {
    errno: 'ENOTCONN',
    message: 'The file system of the protected folder has ended.',
  },
  E_SEALFS_REFUSED: { errno: 'EIO', message: 'The file system of the protected folder refused.' },
  E_MOUNT_BUSY: {
    errno: 'EBUSY',
    message: 'Programs still have files open in the protected folder. Close them and try again.',
  },
  E_PROTECT_REFUSED: { errno: 'EINVAL', message: 'This directory cannot be protected.' },
  E_NOT_PROTECTED: { errno: 'ENOENT', message: 'This directory is not a protected folder.' },
  E_API_UNKNOWN: { errno: 'ENOSYS', message: 'The agent does not know this request.' },
  E_API_ROLE: {
    errno: 'EPERM',
    message: 'This request is for the administrator of this machine. Try again with sudo.',
  },
  E_AGENT_AWAY: {
    errno: 'ECONNREFUSED',
    message: 'The Sealway agent is not running. Start it with: sealway up',
  },
  E_DECISION_DENIED: { errno: 'EACCES', message: 'Policy does not allow this.' },
  E_DECISION_ASK: { errno: 'EACCES', message: 'Policy asks for an approval first.' },
  E_NO_APPLICATION: {
    errno: 'ENOEXEC',
    message: 'No application in the policy opens files of this type.',
  },
} as const satisfies ErrorTable;
