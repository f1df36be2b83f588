/** Expected failures of the policy. Layer: core. */
import type { ErrorTable } from './error-table.js';

export const POLICY_ERRORS = {
  E_POLICY_INVALID: { errno: 'EINVAL', message: 'The policy set has errors.' },
  E_POLICY_NOT_FOUND: { errno: 'ENOENT', message: 'There is no policy set at this place.' },
  E_POLICY_UNREADABLE: { errno: 'EIO', message: 'The policy set could not be read.' },
  E_POLICY_TOO_LARGE: {
    errno: 'EFBIG',
    message: 'The policy set is larger than a policy set may be.',
  },
  E_POLICY_LAB: {
    errno: 'EPERM',
    message:
      'This is a laboratory policy set, which allows any program; it loads only when asked for by name.',
  },
  E_POLICY_NONE: { errno: 'ENOENT', message: 'No policy set is loaded; everything is denied.' },
  E_POLICY_EVALUATION: {
    errno: 'EACCES',
    message: 'The policy could not be evaluated; the answer is deny.',
  },
} as const satisfies ErrorTable;
