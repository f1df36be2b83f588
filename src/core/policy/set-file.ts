/**
 * `set.yaml`: what the set is called, and whether it is a laboratory set.
 *
 * Layer: core. Spec: docs/spec/policy-set-v1.md, section 1.
 */
import { z } from 'zod';
import { Name, Text } from './names.js';

export const SetFile = z.strictObject({
  /** Version of the format, not of the contents: those are named by their digest. */
  format: z.literal(1),
  name: Name,
  title: Text,
  /** A lab set may let any program see plaintext, and loads only when asked for by name. */
  lab: z.boolean().default(false),
});
export type SetFile = z.infer<typeof SetFile>;
