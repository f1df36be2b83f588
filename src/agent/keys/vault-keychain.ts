/**
 * Personal mode: one master secret in the desktop's keychain, everything else in a file under it.
 *
 * Layer: agent.
 * Order of writes: the master secret (once), then the key file, atomically. A crash in between
 *   leaves a master secret without a file, which the next start uses.
 */
import { randomBytes } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, succeed, type Result } from '../../core/errors/result.js';
import { writeFileAtomic } from '../../platform/atomic-file.js';
import { errnoOf, failFromThrown } from '../../platform/errno.js';
import type { Keychain } from './keychain.js';
import type { KeyVault, VaultDescription } from './key-vault.js';
import { unwrapRing, wrapRing } from './wrapped-file.js';

const MASTER_BYTES = 32;
const FILE_NAME = 'keys.json';

/** @param stateDir - exists; the keychain's entry carries its real path. */
export function keychainVault(stateDir: string, keychain: Keychain): KeyVault {
  return new KeychainVault(stateDir, keychain);
}

class KeychainVault implements KeyVault {
  private readonly stateDir: string;
  private readonly keychain: Keychain;

  constructor(stateDir: string, keychain: Keychain) {
    this.stateDir = stateDir;
    this.keychain = keychain;
  }

  describe(): VaultDescription {
    return {
      kind: 'keychain',
      protection: "The keys are encrypted under a secret in this desktop session's keychain.",
      weaker: 'Every program of the same user can ask the keychain while it is unlocked.',
    };
  }

  async load(): Promise<Result<Buffer | undefined>> {
    const text = await this.readFile();
    if (!text.ok || text.value === undefined) return text as Result<undefined>;
    const context = await realpath(this.stateDir);
    const master = await this.readMaster(context);
    if (!master.ok) return master;
    if (master.value === undefined) {
      return fail('E_KEY_MASTER_MISSING', `no entry for ${context} in the keychain`);
    }
    const ring = unwrapRing(text.value, master.value, context);
    master.value.fill(0);
    return ring;
  }

  async store(ring: Buffer): Promise<Result<void>> {
    const context = await realpath(this.stateDir);
    const master = await this.masterFor(context);
    if (!master.ok) return master;
    const text = wrapRing(ring, master.value, context);
    master.value.fill(0);
    const written = await writeFileAtomic(join(this.stateDir, FILE_NAME), text, { mode: 0o600 });
    return written.ok ? succeed(undefined) : written;
  }

  private async masterFor(context: string): Promise<Result<Buffer>> {
    const known = await this.readMaster(context);
    if (!known.ok) return known;
    if (known.value !== undefined) return succeed(known.value);
    const existing = await this.readFile();
    if (!existing.ok) return existing;
    if (existing.value !== undefined) {
      return fail('E_KEY_MASTER_MISSING', 'a new one would make the stored keys unreadable');
    }
    const master = randomBytes(MASTER_BYTES);
    const written = await this.keychain.write(accountFor(context), master.toString('base64'));
    return written.ok ? succeed(master) : written;
  }

  private async readMaster(context: string): Promise<Result<Buffer | undefined>> {
    const found = await this.keychain.read(accountFor(context));
    if (!found.ok) return found;
    if (found.value === undefined) return succeed(undefined);
    const master = Buffer.from(found.value, 'base64');
    if (master.length === MASTER_BYTES) return succeed(master);
    return fail('E_KEY_STORE_DAMAGED', "the keychain's entry is not a master secret of ours");
  }

  private async readFile(): Promise<Result<string | undefined>> {
    try {
      return succeed(await readFile(join(this.stateDir, FILE_NAME), 'utf8'));
    } catch (thrown) {
      if (errnoOf(thrown) === 'ENOENT') return succeed(undefined);
      return failFromThrown(thrown, `read ${FILE_NAME}`);
    }
  }
}

function accountFor(context: string): string {
  return `master secret of ${context}`;
}
