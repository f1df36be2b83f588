/**
 * `folders.yaml`: label and area that a newly protected folder gets, and names left unsealed.
 *
 * Layer: core. Spec: docs/spec/policy-set-v1.md, section 1.
 */
import { z } from 'zod';
import { AreaName, Name } from './names.js';
import { matchesPattern } from './path-pattern.js';

/** `@user` = the area of the user whose folder it is. */
const Area = z.union([z.literal('@user'), AreaName]);

const Assignment = { label: Name, area: Area } as const;

const FileNamePattern = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^/\0]+$/u, 'must be a file name pattern without /')
  // Everything created from outside would stay in the clear.
  .refine((pattern) => /[^*?]/u.test(pattern), 'must not match every name');

export const FoldersFile = z.strictObject({
  default: z.strictObject(Assignment),
  rules: z
    .array(z.strictObject({ path: z.string().min(1).max(1024), ...Assignment }))
    .max(1000)
    .default([]),
  /** Lock files and the like that programs outside a session may create unsealed. */
  excludedNames: z.array(FileNamePattern).max(100).default([]),
});
export type FoldersFile = z.infer<typeof FoldersFile>;

/** What a folder gets: the first rule whose pattern matches its whole path, or the default. */
export function assignFolder(
  file: FoldersFile,
  path: string,
  userArea: string,
): { readonly label: string; readonly area: string } {
  const { label, area } =
    file.rules.find((rule) => matchesPattern(rule.path, path)) ?? file.default;
  return { label, area: area === '@user' ? userArea : area };
}
