/** The key authority over its vaults: what is stored, what is refused, what a failure leaves. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fail, succeed, type Result } from '../../core/errors/result.js';
import type { RecordEvent } from '../../core/records/record.js';
import { verifySignatureHex } from '../../platform/trail-crypto.js';
import { openKeyAuthority, type KeyAuthority } from './key-authority.js';
import type { Keychain } from './keychain.js';
import type { KeyVault } from './key-vault.js';
import { keychainVault } from './vault-keychain.js';
import { serviceVault, type CredentialTool } from './vault-service.js';

let directory = '';
let entries = new Map<string, string>();
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealway-keys-'));
  entries = new Map();
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const keychain: Keychain = {
  read: (account) => Promise.resolve(succeed(entries.get(account))),
  write: (account, secret) => {
    entries.set(account, secret);
    return Promise.resolve(succeed(undefined));
  },
};

/** Stands in for systemd-creds: turns each byte over, and notes that it was asked. */
function fakeTool(strength: 'tpm' | 'host' | 'unavailable'): CredentialTool {
  const turn = (bytes: Buffer): Promise<Result<Buffer>> =>
    Promise.resolve(succeed(Buffer.from(bytes.map((byte) => byte ^ 0xff))));
  return { encrypt: turn, decrypt: turn, strength: () => Promise.resolve(strength) };
}

const VAULTS: readonly { id: string; file: string; open: () => Promise<KeyVault> }[] = [
  {
    id: 'keychain',
    file: 'keys.json',
    open: () => Promise.resolve(keychainVault(directory, keychain)),
  },
  { id: 'systemd-creds', file: 'keys.cred', open: () => serviceVault(directory, fakeTool('host')) },
  {
    id: 'root-only-file',
    file: 'keys.json',
    open: () => serviceVault(directory, fakeTool('unavailable')),
  },
];

async function opened(
  vault: KeyVault,
  onEvent?: (event: RecordEvent) => void,
): Promise<KeyAuthority> {
  const authority = await openKeyAuthority(onEvent === undefined ? { vault } : { vault, onEvent });
  if (!authority.ok) throw new Error(`${authority.error.code}: ${authority.error.detail}`);
  return authority.value;
}

async function keyOf(
  authority: KeyAuthority,
  area = 'operations',
  label = 'confidential',
): Promise<string> {
  const key = await authority.current(area, label);
  if (!key.ok) throw new Error(key.error.code);
  return Buffer.from(key.value.key).toString('hex');
}

describe.each(VAULTS)('over the vault $id', ({ file, id, open }) => {
  it('finds device and keys again', async () => {
    const first = await opened(await open());
    const key = await keyOf(first);
    const { device, publicKey } = first;
    await first.close();
    const second = await opened(await open());
    expect(second).toMatchObject({ device, publicKey });
    expect(second.deviceId).toHaveLength(16);
    expect(await keyOf(second)).toBe(key);
    expect(verifySignatureHex(publicKey, 'text', second.sign('text'))).toBe(true);
    expect(second.describe().kind).toBe(id);
    await second.close();
  });

  it('keeps old epochs after rotation, and withdraws', async () => {
    const events: RecordEvent[] = [];
    const authority = await opened(await open(), (event) => events.push(event));
    const old = await keyOf(authority);
    const rotated = await authority.rotate('operations', 'confidential');
    expect(rotated).toMatchObject({ value: { id: { epoch: 2 } } });
    const first = { area: 'operations', label: 'confidential', epoch: 1 };
    const kept = authority.get(first);
    expect(kept.ok && Buffer.from(kept.value.key).toString('hex')).toBe(old);
    expect(await keyOf(authority)).not.toBe(old);
    await authority.withdraw(first);
    expect(authority.get(first)).toMatchObject({ error: { code: 'E_KEY_WITHDRAWN' } });
    await authority.close();
    const again = await opened(await open());
    expect(again.get(first)).toMatchObject({ error: { code: 'E_KEY_WITHDRAWN' } });
    expect(again.get({ ...first, epoch: 9 })).toMatchObject({ error: { code: 'E_KEY_UNKNOWN' } });
    expect(events.map(({ kind }) => kind)).toEqual([
      'key-created',
      'key-rotation',
      'key-withdrawal',
    ]);
    await again.close();
  });

  it('refuses a damaged file, and makes no new keys then', async () => {
    await (await opened(await open())).close();
    writeFileSync(join(directory, file), 'damaged');
    const vault = await open();
    expect(await openKeyAuthority({ vault })).toMatchObject({
      error: { code: 'E_KEY_STORE_DAMAGED' },
    });
    expect(readFileSync(join(directory, file), 'utf8')).toBe('damaged');
  });

  it('stores a key before it hands it out', async () => {
    const authority = await opened(await open());
    await Promise.all([keyOf(authority), keyOf(authority), keyOf(authority, 'hr')]);
    const other = await opened(await open());
    expect(other.list().map(({ id: key }) => `${key.area}${String(key.epoch)}`)).toEqual([
      'operations1',
      'hr1',
    ]);
  });
});

describe('a vault that cannot store', () => {
  it('leaves no key behind', async () => {
    const vault = keychainVault(directory, keychain);
    const authority = await opened(vault);
    const store = vault.store.bind(vault);
    vault.store = () => Promise.resolve(fail('E_DISK_FULL', 'test'));
    expect(await authority.current('hr', 'internal')).toMatchObject({
      error: { code: 'E_DISK_FULL' },
    });
    expect(authority.list()).toEqual([]);
    vault.store = store;
    expect(await authority.current('hr', 'internal')).toMatchObject({
      value: { id: { epoch: 1 } },
    });
  });
});

describe('names', () => {
  it.each([
    { id: 'empty', area: '' },
    { id: 'slash', area: 'a/b' },
    { id: 'upper', area: 'HR' },
    { id: 'dots', area: '..' },
    { id: 'long', area: 'a'.repeat(64) },
  ])('$id is refused', async ({ area }) => {
    const authority = await opened(keychainVault(directory, keychain));
    expect(await authority.current(area, 'internal')).toMatchObject({
      error: { code: 'E_KEY_NAME' },
    });
  });
});

describe('the keychain vault', () => {
  it('says when the master secret is missing', async () => {
    await (await opened(keychainVault(directory, keychain))).close();
    entries.clear();
    const vault = keychainVault(directory, keychain);
    expect(await openKeyAuthority({ vault })).toMatchObject({
      error: { code: 'E_KEY_MASTER_MISSING' },
    });
    expect(await vault.store(Buffer.from('{}'))).toMatchObject({
      error: { code: 'E_KEY_MASTER_MISSING' },
    });
    expect(entries.size).toBe(0);
  });

  it('does not open a key file that was put in another place', async () => {
    await (await opened(keychainVault(directory, keychain))).close();
    const elsewhere = mkdtempSync(join(tmpdir(), 'sealway-keys-'));
    renameSync(join(directory, 'keys.json'), join(elsewhere, 'keys.json'));
    // Even with the right master secret.
    const [secret = ''] = entries.values();
    entries.set(`master secret of ${elsewhere}`, secret);
    const moved = await openKeyAuthority({ vault: keychainVault(elsewhere, keychain) });
    rmSync(elsewhere, { recursive: true });
    expect(moved).toMatchObject({ error: { code: 'E_KEY_STORE_DAMAGED' } });
  });

  it('holds no key in the clear', async () => {
    const authority = await opened(keychainVault(directory, keychain));
    const key = Buffer.from(await keyOf(authority), 'hex');
    const text = readFileSync(join(directory, 'keys.json'), 'utf8');
    expect(text).not.toContain(key.toString('base64'));
    expect(text).not.toContain('operations');
  });
});

describe('the service vault', () => {
  it.each([
    {
      id: 'group-readable',
      spoil: (path: string) => {
        chmodSync(path, 0o640);
      },
    },
    {
      id: 'world-readable',
      spoil: (path: string) => {
        chmodSync(path, 0o604);
      },
    },
    {
      id: 'open-directory',
      spoil: () => {
        chmodSync(directory, 0o777);
      },
    },
    {
      id: 'symbolic-link',
      spoil: (path: string) => {
        renameSync(path, `${path}.real`);
        symlinkSync(`${path}.real`, path);
      },
    },
  ])('$id is refused', async ({ spoil }) => {
    const vault = await serviceVault(directory, fakeTool('unavailable'));
    await (await opened(vault)).close();
    spoil(join(directory, 'keys.json'));
    expect(await openKeyAuthority({ vault })).toMatchObject({
      error: { code: 'E_KEY_STORE_OPEN' },
    });
  });

  it('goes from plain to encrypted, and never back', async () => {
    const plain = await opened(await serviceVault(directory, fakeTool('unavailable')));
    const key = await keyOf(plain);
    const sealed = await opened(await serviceVault(directory, fakeTool('tpm')));
    await keyOf(sealed, 'hr');
    expect(existsSync(join(directory, 'keys.json'))).toBe(false);
    expect(await keyOf(sealed)).toBe(key);
    const weak = await serviceVault(directory, fakeTool('unavailable'));
    expect(await weak.store(Buffer.from('{}'))).toMatchObject({
      error: { code: 'E_KEY_STORE_DAMAGED' },
    });
    expect(weak.describe().weaker).toContain('not encrypted');
  });
});

describe('a closed authority', () => {
  it('has overwritten its keys', async () => {
    const authority = await opened(keychainVault(directory, keychain));
    const handed = await authority.current('hr', 'internal');
    await authority.close();
    expect(handed.ok && Buffer.from(handed.value.key).equals(Buffer.alloc(32))).toBe(true);
    expect(() => authority.sign('x')).toThrow('closed');
  });
});
