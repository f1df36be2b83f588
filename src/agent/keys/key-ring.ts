/**
 * The keys as they are in memory, and their form inside the encrypted key file.
 *
 * Layer: agent. Every key lives in a Buffer of its own and is overwritten by `wipe`. JavaScript
 *   gives no promise about copies: the JSON text of the key file is one, and is short-lived.
 * Not here: encryption and places (`vault-*.ts`).
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from 'node:crypto';
import { z } from 'zod';
import { fail, succeed, type AppError, type Result } from '../../core/errors/result.js';
import { checkKeyName, type KeyId } from './key-id.js';

export const KEY_BYTES = 32;
const DEVICE_ID_BYTES = 16;

export interface RingKey {
  readonly id: KeyId;
  readonly key: Buffer;
  readonly createdMs: number;
  /** When it was withdrawn: kept for the record, not handed out. */
  withdrawnMs?: number;
}

export interface KeyRing {
  /** 16 bytes. */
  readonly deviceId: Buffer;
  /** Ed25519 private key, PKCS#8 DER. */
  readonly devicePrivateKey: Buffer;
  readonly keys: RingKey[];
}

const base64Key = z.base64().refine((text) => Buffer.from(text, 'base64').length === KEY_BYTES);

const RingFile = z.strictObject({
  version: z.literal(1),
  deviceId: z.string().regex(/^[0-9a-f]{32}$/),
  devicePrivateKey: z.base64(),
  keys: z.array(
    z.strictObject({
      area: z.string(),
      label: z.string(),
      epoch: z.number().int().positive(),
      key: base64Key,
      createdMs: z.number().int(),
      withdrawnMs: z.number().int().optional(),
    }),
  ),
});

/** A new device: a fresh id, a fresh signing key, no area's keys. */
export function createRing(): KeyRing {
  const { privateKey } = generateKeyPairSync('ed25519');
  return {
    deviceId: randomBytes(DEVICE_ID_BYTES),
    devicePrivateKey: privateKey.export({ format: 'der', type: 'pkcs8' }),
    keys: [],
  };
}

/** The ring as bytes to be encrypted. The caller wipes them. */
export function serializeRing(ring: KeyRing): Buffer {
  const file: z.infer<typeof RingFile> = {
    version: 1,
    deviceId: ring.deviceId.toString('hex'),
    devicePrivateKey: ring.devicePrivateKey.toString('base64'),
    keys: ring.keys.map(({ id, key, createdMs, withdrawnMs }) => ({
      ...id,
      key: key.toString('base64'),
      createdMs,
      ...(withdrawnMs === undefined ? {} : { withdrawnMs }),
    })),
  };
  return Buffer.from(JSON.stringify(file), 'utf8');
}

/** `E_KEY_STORE_VERSION` for a newer form, `E_KEY_STORE_DAMAGED` for none of ours. */
export function parseRing(
  bytes: Uint8Array,
): Result<KeyRing, AppError<'E_KEY_STORE_DAMAGED' | 'E_KEY_STORE_VERSION'>> {
  const value = parseJson(bytes);
  const version = z.looseObject({ version: z.number() }).safeParse(value);
  if (version.success && version.data.version > 1) {
    return fail('E_KEY_STORE_VERSION', `version ${String(version.data.version)}`);
  }
  const file = RingFile.safeParse(value);
  // Neither value nor zod's message: both may hold key material.
  if (!file.success)
    return fail('E_KEY_STORE_DAMAGED', 'the keys inside are not of the right form');
  for (const { area, label } of file.data.keys) {
    const name = checkKeyName(area, label);
    if (!name.ok) return fail('E_KEY_STORE_DAMAGED', name.error.detail);
  }
  return succeed({
    deviceId: Buffer.from(file.data.deviceId, 'hex'),
    devicePrivateKey: Buffer.from(file.data.devicePrivateKey, 'base64'),
    keys: file.data.keys.map(({ area, label, epoch, key, createdMs, withdrawnMs }) => ({
      id: { area, label, epoch },
      key: Buffer.from(key, 'base64'),
      createdMs,
      ...(withdrawnMs === undefined ? {} : { withdrawnMs }),
    })),
  });
}

/** The device's Ed25519 public key, 32 bytes as 64 hex digits. */
export function devicePublicKey(ring: KeyRing): string {
  const key = createPublicKey(privateKeyOf(ring));
  return key.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
}

/** Ed25519 signature over the UTF-8 bytes of `message`, 128 hex digits. */
export function signAsDevice(ring: KeyRing, message: string): string {
  return sign(null, Buffer.from(message, 'utf8'), privateKeyOf(ring)).toString('hex');
}

/** Overwrites every secret. */
export function wipe(ring: KeyRing): void {
  ring.devicePrivateKey.fill(0);
  for (const { key } of ring.keys) key.fill(0);
  ring.keys.length = 0;
}

function privateKeyOf(ring: KeyRing): ReturnType<typeof createPrivateKey> {
  return createPrivateKey({ key: ring.devicePrivateKey, format: 'der', type: 'pkcs8' });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
