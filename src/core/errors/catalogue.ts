/**
 * One catalogue of every expected failure: its code, its errno and what a person reads.
 *
 * Layer: core. Each domain keeps its own table beside this file; a code belongs to one table.
 */
import { AGENT_ERRORS } from './agent-errors.js';
import { CONTAINER_ERRORS } from './container-errors.js';
import { FOLDER_ERRORS } from './folder-errors.js';
import { KEY_ERRORS } from './key-errors.js';
import { PLATFORM_ERRORS } from './platform-errors.js';
import { POLICY_ERRORS } from './policy-errors.js';
import { RECORD_ERRORS } from './record-errors.js';
import { SESSION_ERRORS } from './session-errors.js';

export const ERROR_CODES = {
  ...AGENT_ERRORS,
  ...CONTAINER_ERRORS,
  ...FOLDER_ERRORS,
  ...KEY_ERRORS,
  ...PLATFORM_ERRORS,
  ...POLICY_ERRORS,
  ...RECORD_ERRORS,
  ...SESSION_ERRORS,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;
