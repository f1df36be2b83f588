/** Opens the key authority over the session's real keychain and prints what came of it, as JSON. */
import { Buffer } from 'node:buffer';
import { openKeyAuthority } from '../../dist/agent/keys/key-authority.js';
import { openKeychain } from '../../dist/agent/keys/keychain.js';
import { keychainVault } from '../../dist/agent/keys/vault-keychain.js';

const print = (line) => process.stdout.write(`${line}\n`);
const vault = keychainVault(process.argv[2], openKeychain(process.env, 4000));
const opened = await openKeyAuthority({ vault });
if (opened.ok) {
  const key = await opened.value.current('operations', 'confidential');
  const hex = key.ok ? Buffer.from(key.value.key).toString('hex') : key.error.code;
  print(JSON.stringify({ device: opened.value.device, key: hex }));
} else print(JSON.stringify({ code: opened.error.code, detail: opened.error.detail }));
process.exit(0);
