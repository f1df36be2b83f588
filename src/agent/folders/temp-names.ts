/**
 * The names under which this agent writes files that are not finished.
 *
 * Layer: agent. Reserved: whatever bears such a name in a protected folder is a leftover unless a
 * run of this process is writing it, and is deleted. The random part makes sure that no person
 * gives a file such a name by chance.
 */
import { randomBytes } from 'node:crypto';

/** `seal`: ciphertext on its way in. `undo`: plaintext on its way out, made by `unsealDirectory`. */
export type TempKind = 'seal' | 'undo';

const PREFIX: Readonly<Record<TempKind, string>> = {
  seal: '.sealway-tmp-',
  undo: '.sealway-undo-',
};
const TEMP_NAME = /^\.sealway-(tmp|undo)-[0-9a-f]{32}$/;

const inUse = new Set<string>();

/** A fresh name; it counts as in use until `forgetTempName`. */
export function newTempName(kind: TempKind): Buffer {
  const name = `${PREFIX[kind]}${randomBytes(16).toString('hex')}`;
  inUse.add(name);
  return Buffer.from(name);
}

export function forgetTempName(name: Buffer): void {
  inUse.delete(name.toString('latin1'));
}

export function isTempName(name: Buffer | string): boolean {
  return TEMP_NAME.test(typeof name === 'string' ? name : name.toString('latin1'));
}

/** A temp name that no run of this process is using. */
export function isLeftover(name: Buffer): boolean {
  return isTempName(name) && !inUse.has(name.toString('latin1'));
}
