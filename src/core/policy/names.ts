/** Schemas that several files of a policy set share: names, places, texts. Layer: core. */
import { z } from 'zod';

/** Labels, applications, groups, areas, roles: what goes into records and key names. */
export const Name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/u, 'must be lower-case letters, digits, - or _, at most 64');

/** An area may be written as people write it, without slashes or control characters. */
export const AreaName = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u,
    'must be letters, digits, blank, . _ or -, at most 64',
  );

/** An absolute path in its shortest form: a check on it must not be walked around with `..`. */
export const AbsolutePath = z
  .string()
  .max(1024, 'must be at most 1024 characters')
  .regex(
    /^(\/(?!\.{1,2}(\/|$))[^/\0]+)+$/u,
    'must be an absolute path without . or .. or a / at its end',
  );

/** A text in the three languages. */
export const Text = z.strictObject({
  en: z.string().min(1).max(200),
  zh: z.string().min(1).max(200),
  ja: z.string().min(1).max(200),
});
