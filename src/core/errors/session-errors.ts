/**
 * Expected failures of the sealed sessions. Layer: core.
 *
 * Those that sessiond itself sends (docs/spec/sessiond-v1.md, "Refusals") stand here too, so that
 * people read one catalogue.
 */
import type { ErrorTable } from './error-table.js';

export const SESSION_ERRORS = {
  E_SESSION_REFUSED: { errno: 'EACCES', message: 'This program may not run in a sealed session.' },
  E_SESSION_PROGRAM: { errno: 'ENOENT', message: 'There is no such program.' },
  E_SESSION_AGENT_SILENT: { errno: 'ETIMEDOUT', message: 'The agent did not answer in time.' },
  E_SESSION_AGENT_GONE: { errno: 'ECONNREFUSED', message: 'The agent is not running.' },
  E_SESSION_START: { errno: 'EIO', message: 'The sealed session could not be made.' },
  E_SESSION_TIMEOUT: { errno: 'ETIMEDOUT', message: 'The sealed session was not ready in time.' },
  E_SESSION_CANCELLED: { errno: 'ECANCELED', message: 'The sealed session was cancelled.' },
  E_SESSION_GONE: { errno: 'ESRCH', message: 'The sealed session has ended.' },
  E_SESSION_FOLDER: { errno: 'ESTALE', message: 'A protected folder is not mounted in its place.' },
  E_SESSION_LIMIT: { errno: 'EAGAIN', message: 'Too many sealed sessions are open.' },
  E_SESSION_USER: { errno: 'EPERM', message: 'This user has no sealed sessions.' },
  E_SESSION_PROTOCOL: { errno: 'EPROTO', message: 'Something that is no session-client asked.' },
  E_SESSIOND_START: { errno: 'EIO', message: 'The session service could not be started.' },
} as const satisfies ErrorTable;
