/** Expected failures of the policy. Layer: core. */
import type { ErrorTable } from './error-table.js';

export const POLICY_ERRORS = {
  E_POLICY_INVALID: { errno: 'EINVAL', message: 'The policy set has errors.' },
} as const satisfies ErrorTable;
