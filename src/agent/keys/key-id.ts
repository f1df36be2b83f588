/**
 * The name of a key: area, label and epoch.
 *
 * Layer: agent. The header of a sealed file carries the same three (docs/spec/container-v1.md).
 */
import { fail, succeed, type AppError, type Result } from '../../core/errors/result.js';

export interface KeyId {
  readonly area: string;
  readonly label: string;
  /** 1 for the first key of an area and label; each rotation adds one. */
  readonly epoch: number;
}

/** Letters, digits, dot, hyphen, underscore; no separator of ours and none of a path. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** `E_KEY_NAME` for an area or label that is not 1 to 63 of `a-z 0-9 . _ -`. */
export function checkKeyName(area: string, label: string): Result<void, AppError<'E_KEY_NAME'>> {
  if (!NAME.test(area)) return fail('E_KEY_NAME', `area "${area.slice(0, 80)}"`);
  if (!NAME.test(label)) return fail('E_KEY_NAME', `label "${label.slice(0, 80)}"`);
  return succeed(undefined);
}

/** `area/label/epoch`: how a key is named in key files and in logs. */
export function formatKeyId({ area, label, epoch }: KeyId): string {
  return `${area}/${label}/${String(epoch)}`;
}
