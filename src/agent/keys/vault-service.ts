/**
 * Service mode: a key file that root alone can read, encrypted by systemd-creds where that works.
 *
 * Layer: agent. Secrets go to systemd-creds by its standard input, never as an argument.
 * Order of writes: `keys.cred` (encrypted), then `keys.json` (plain) is removed. A crash in between
 *   leaves both; the encrypted one is the newer. There is no way back from encrypted to plain: when
 *   systemd-creds stops working, storing fails instead.
 */
import { constants } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, succeed, type Result } from '../../core/errors/result.js';
import { syncDirectory, writeFileAtomic } from '../../platform/atomic-file.js';
import { runProcess } from '../../platform/child-process.js';
import { errnoOf, failFromThrown } from '../../platform/errno.js';
import type { KeyVault, VaultDescription } from './key-vault.js';

const SEALED_NAME = 'keys.cred';
const PLAIN_NAME = 'keys.json';
const CREDENTIAL_NAME = 'sealway-keys';
const PLAIN_FORMAT = 'sealway-keys-plain 1\n';

/** How systemd-creds is reached; another one in tests. */
export interface CredentialTool {
  encrypt(secret: Buffer): Promise<Result<Buffer>>;
  decrypt(sealed: Buffer): Promise<Result<Buffer>>;
  /** `tpm` when the machine's TPM takes part, `host` for the host's key file alone. */
  strength(): Promise<'tpm' | 'host' | 'unavailable'>;
}

/**
 * Opens the vault of service mode.
 *
 * @param stateDir - exists, owned by this user, writable by nobody else.
 */
export async function serviceVault(
  stateDir: string,
  tool: CredentialTool = systemdCreds,
): Promise<KeyVault> {
  return new ServiceVault(stateDir, tool, await tool.strength());
}

class ServiceVault implements KeyVault {
  private readonly stateDir: string;
  private readonly tool: CredentialTool;
  private readonly strength: 'tpm' | 'host' | 'unavailable';

  constructor(stateDir: string, tool: CredentialTool, strength: 'tpm' | 'host' | 'unavailable') {
    this.stateDir = stateDir;
    this.tool = tool;
    this.strength = strength;
  }

  describe(): VaultDescription {
    if (this.strength === 'tpm') {
      const protection = "The key file is encrypted to this machine's TPM (systemd-creds).";
      return { kind: 'systemd-creds', protection };
    }
    if (this.strength === 'host') {
      return {
        kind: 'systemd-creds',
        protection: "The key file is encrypted under this machine's host key (systemd-creds).",
        weaker: 'Without a TPM the host key lies on the same disk: a copied disk opens the keys.',
      };
    }
    return {
      kind: 'root-only-file',
      protection: 'The key file is readable by root alone.',
      weaker: 'systemd-creds does not work here: the key file itself is not encrypted.',
    };
  }

  async load(): Promise<Result<Buffer | undefined>> {
    const sealed = await this.read(SEALED_NAME);
    if (!sealed.ok) return sealed;
    if (sealed.value !== undefined) return this.tool.decrypt(sealed.value);
    const plain = await this.read(PLAIN_NAME);
    if (!plain.ok || plain.value === undefined) return plain;
    if (!plain.value.toString('latin1').startsWith(PLAIN_FORMAT)) {
      return fail('E_KEY_STORE_DAMAGED', `${PLAIN_NAME} is not a key file of the service`);
    }
    return succeed(plain.value.subarray(PLAIN_FORMAT.length));
  }

  async store(ring: Buffer): Promise<Result<void>> {
    if (this.strength === 'unavailable') return this.storePlain(ring);
    const sealed = await this.tool.encrypt(ring);
    if (!sealed.ok) return sealed;
    const written = await this.write(SEALED_NAME, sealed.value);
    if (!written.ok) return written;
    return this.removePlain();
  }

  private async storePlain(ring: Buffer): Promise<Result<void>> {
    const sealed = await this.read(SEALED_NAME);
    if (!sealed.ok) return sealed;
    if (sealed.value !== undefined) {
      return fail('E_KEY_STORE_DAMAGED', 'systemd-creds does not work here any more');
    }
    return this.write(PLAIN_NAME, Buffer.concat([Buffer.from(PLAIN_FORMAT), ring]));
  }

  private async write(name: string, bytes: Buffer): Promise<Result<void>> {
    const written = await writeFileAtomic(join(this.stateDir, name), bytes, { mode: 0o600 });
    return written.ok ? succeed(undefined) : written;
  }

  private async removePlain(): Promise<Result<void>> {
    try {
      await rm(join(this.stateDir, PLAIN_NAME), { force: true });
      await syncDirectory(this.stateDir);
      return succeed(undefined);
    } catch (thrown) {
      return failFromThrown(thrown, `remove ${PLAIN_NAME}`);
    }
  }

  private async read(name: string): Promise<Result<Buffer | undefined>> {
    const path = join(this.stateDir, name);
    try {
      const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        const loose = looseness(await handle.stat(), await stat(this.stateDir));
        if (loose !== undefined) return fail('E_KEY_STORE_OPEN', `${name}: ${loose}`);
        return succeed(await handle.readFile());
      } finally {
        await handle.close();
      }
    } catch (thrown) {
      const errno = errnoOf(thrown);
      if (errno === 'ENOENT') return succeed(undefined);
      if (errno === 'ELOOP') return fail('E_KEY_STORE_OPEN', `${name} is a symbolic link`);
      return failFromThrown(thrown, `read ${name}`);
    }
  }
}

interface Ownership {
  readonly uid: number;
  readonly mode: number;
  isFile(): boolean;
}

/** Why a key file must not be trusted; `undefined` when nobody else can read or replace it. */
function looseness(file: Ownership, directory: Ownership): string | undefined {
  const self = process.getuid?.() ?? -1;
  if (!file.isFile()) return 'it is not a regular file';
  if (file.uid !== self) return `it belongs to uid ${String(file.uid)}`;
  if ((file.mode & 0o077) !== 0) {
    return `its mode is ${(file.mode & 0o777).toString(8)}; set it with chmod 600`;
  }
  if (directory.uid !== self || (directory.mode & 0o022) !== 0) {
    return 'others can write in its directory; set it with chmod go-w';
  }
  return undefined;
}

const TOOL = '/usr/bin/systemd-creds';
const TOOL_ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

async function runTool(args: readonly string[], input: Buffer): Promise<Result<Buffer>> {
  const ran = await runProcess(TOOL, args, { env: TOOL_ENV, input, timeoutMs: 20_000 });
  if (!ran.ok) return ran;
  if (ran.value.code === 0) return succeed(ran.value.stdout);
  const reason = ran.value.stderr.trim().split('\n').at(-1) ?? '';
  return fail('E_KEY_STORE_DAMAGED', `systemd-creds: ${reason.slice(0, 200)}`);
}

/** The machine's own systemd-creds. */
export const systemdCreds: CredentialTool = {
  encrypt: (secret) => runTool(['encrypt', `--name=${CREDENTIAL_NAME}`, '-', '-'], secret),
  decrypt: (sealed) => runTool(['decrypt', `--name=${CREDENTIAL_NAME}`, '-', '-'], sealed),
  strength: async () => {
    // Versions differ in what they offer and containers in what they allow: so it is tried.
    const probe = Buffer.from('probe');
    const sealed = await systemdCreds.encrypt(probe);
    if (!sealed.ok) return 'unavailable';
    const opened = await systemdCreds.decrypt(sealed.value);
    if (!opened.ok || !opened.value.equals(probe)) return 'unavailable';
    const tpm = await runProcess(TOOL, ['has-tpm2', '--quiet'], { env: TOOL_ENV, timeoutMs: 5000 });
    return tpm.ok && tpm.value.code === 0 ? 'tpm' : 'host';
  },
};
