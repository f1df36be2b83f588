/**
 * The key file of personal mode: the ring, encrypted under one master secret.
 *
 * Layer: agent. AES-256-GCM, fresh 96-bit nonce for each write, the file's purpose, version and
 *   state directory as associated data: a key file put in another place does not open there.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { fail, succeed, type AppError, type Result } from '../../core/errors/result.js';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const WrappedFile = z.strictObject({
  format: z.literal('sealway-keys'),
  version: z.literal(1),
  cipher: z.literal('aes-256-gcm'),
  nonce: z.base64(),
  sealed: z.base64(),
});

/** @param context - what the file is bound to; the same text opens it. */
export function wrapRing(ring: Buffer, master: Buffer, context: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', master, nonce);
  cipher.setAAD(associated(context));
  const sealed = Buffer.concat([cipher.update(ring), cipher.final(), cipher.getAuthTag()]);
  const file: z.infer<typeof WrappedFile> = {
    format: 'sealway-keys',
    version: 1,
    cipher: 'aes-256-gcm',
    nonce: nonce.toString('base64'),
    sealed: sealed.toString('base64'),
  };
  return `${JSON.stringify(file)}\n`;
}

/** `E_KEY_STORE_DAMAGED` for a wrong master secret, place or byte; `E_KEY_STORE_VERSION` if newer. */
export function unwrapRing(
  text: string,
  master: Buffer,
  context: string,
): Result<Buffer, AppError<'E_KEY_STORE_DAMAGED' | 'E_KEY_STORE_VERSION'>> {
  const value = parseJson(text);
  const head = z.looseObject({ format: z.string(), version: z.number() }).safeParse(value);
  if (head.success && head.data.version > 1) {
    return fail('E_KEY_STORE_VERSION', `version ${String(head.data.version)}`);
  }
  const file = WrappedFile.safeParse(value);
  if (!file.success) return fail('E_KEY_STORE_DAMAGED', 'the key file is not of the right form');
  const nonce = Buffer.from(file.data.nonce, 'base64');
  const sealed = Buffer.from(file.data.sealed, 'base64');
  if (nonce.length !== NONCE_BYTES || sealed.length < TAG_BYTES) {
    return fail('E_KEY_STORE_DAMAGED', 'the key file is too short');
  }
  try {
    const decipher = createDecipheriv('aes-256-gcm', master, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associated(context));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    return succeed(
      Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]),
    );
  } catch {
    return fail('E_KEY_STORE_DAMAGED', 'the key file does not fit its master secret or its place');
  }
}

function associated(context: string): Buffer {
  return Buffer.from(`sealway-keys\n1\n${context}`, 'utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
