/**
 * Where the key ring is kept between two runs of the agent.
 *
 * Layer: agent. Two implementations: `vault-keychain.ts` (personal mode) and `vault-service.ts`.
 */
import type { Result } from '../../core/errors/result.js';

/** How well the keys are kept; `sealway doctor` shows it in these words. */
export interface VaultDescription {
  readonly kind: 'keychain' | 'systemd-creds' | 'root-only-file';
  /** One sentence on what protects the keys. */
  readonly protection: string;
  /** What is weaker than it could be, and why; absent when nothing is. */
  readonly weaker?: string;
}

export interface KeyVault {
  /**
   * The ring's bytes, or `undefined` when nothing has been stored here.
   *
   * `E_KEYCHAIN_LOCKED`, `E_KEYCHAIN_MISSING`, `E_KEY_MASTER_MISSING`, `E_KEY_STORE_OPEN`,
   * `E_KEY_STORE_DAMAGED`, `E_KEY_STORE_VERSION` or a code of the file system. A vault that holds
   * something it cannot open never answers `undefined`: new keys would orphan the sealed files.
   */
  load(): Promise<Result<Buffer | undefined>>;
  /** Replaces what is stored, atomically. The old state stays when this fails. */
  store(ring: Buffer): Promise<Result<void>>;
  describe(): VaultDescription;
}
