/**
 * The keychain of a desktop session (Secret Service), by keytar's API.
 *
 * Layer: agent.
 * Attack on patience: a locked keychain makes the library ask a person and wait, for ever where
 *   nobody can answer. So the lock is asked for first, over D-Bus, and every call has a deadline.
 * A call that passed its deadline keeps a thread of libuv's pool until the daemon answers.
 */
import { createRequire } from 'node:module';
import { fail, succeed, type AppError, type Result } from '../../core/errors/result.js';
import { runProcess } from '../../platform/child-process.js';

export type KeychainError = AppError<'E_KEYCHAIN_LOCKED' | 'E_KEYCHAIN_MISSING'>;

export interface Keychain {
  /** `undefined` when the (unlocked) keychain has no such entry. */
  read(account: string): Promise<Result<string | undefined, KeychainError>>;
  write(account: string, secret: string): Promise<Result<void, KeychainError>>;
}

interface Keytar {
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, password: string): Promise<void>;
}

const SERVICE = 'Sealway';
const UNLOCK_HINT = 'unlock it (log in to the desktop, or open its password manager), then retry';
const MISSING_HINT =
  'start one in this session (gnome-keyring-daemon, KWallet), or run Sealway as the service';

/**
 * @param env - the session's environment: the bus address is taken from it.
 * @param deadlineMs - how long the keychain may take for one answer.
 */
export function openKeychain(
  env: Readonly<Record<string, string | undefined>>,
  deadlineMs = 8000,
): Keychain {
  const call = async <T>(
    work: (keytar: Keytar) => Promise<T>,
  ): Promise<Result<T, KeychainError>> => {
    const ready = await probe(env, deadlineMs);
    if (!ready.ok) return ready;
    const keytar = loadKeytar();
    if (!keytar.ok) return keytar;
    return answered(work(keytar.value), deadlineMs);
  };
  return {
    read: async (account) => {
      const found = await call((keytar) => keytar.getPassword(SERVICE, account));
      return found.ok ? succeed(found.value ?? undefined) : found;
    },
    write: (account, secret) => call((keytar) => keytar.setPassword(SERVICE, account, secret)),
  };
}

/** The library links against libsecret: where that is missing, there is no keychain to speak of. */
function loadKeytar(): Result<Keytar, KeychainError> {
  try {
    return succeed(createRequire(import.meta.url)('@github/keytar') as Keytar);
  } catch (thrown) {
    return fail('E_KEYCHAIN_MISSING', `libsecret is not installed; ${MISSING_HINT}`, thrown);
  }
}

/** Is there a keychain, and is it open? */
async function probe(
  env: Readonly<Record<string, string | undefined>>,
  deadlineMs: number,
): Promise<Result<void, KeychainError>> {
  const address = env['DBUS_SESSION_BUS_ADDRESS'];
  if (address === undefined || address === '') {
    return fail('E_KEYCHAIN_MISSING', `no session bus; ${MISSING_HINT}`);
  }
  const asked = await runProcess(
    'dbus-send',
    [
      '--session',
      '--print-reply',
      `--reply-timeout=${String(deadlineMs)}`,
      '--dest=org.freedesktop.secrets',
      '/org/freedesktop/secrets/aliases/default',
      'org.freedesktop.DBus.Properties.Get',
      'string:org.freedesktop.Secret.Collection',
      'string:Locked',
    ],
    {
      env: { DBUS_SESSION_BUS_ADDRESS: address, PATH: '/usr/bin:/bin' },
      timeoutMs: deadlineMs + 1000,
    },
  );
  // Without dbus-send the deadline around each call has to do.
  if (!asked.ok) return succeed(undefined);
  const { code, stdout, stderr } = asked.value;
  if (code === 0 && stdout.toString('utf8').includes('boolean true')) {
    return fail('E_KEYCHAIN_LOCKED', UNLOCK_HINT);
  }
  if (code === 0) return succeed(undefined);
  if (/UnknownObject|UnknownMethod|UnknownInterface|No such object/.test(stderr)) {
    return fail('E_KEYCHAIN_MISSING', `it has no default collection; ${MISSING_HINT}`);
  }
  return fail('E_KEYCHAIN_MISSING', `no Secret Service on the session bus; ${MISSING_HINT}`);
}

async function answered<T>(
  work: Promise<T>,
  deadlineMs: number,
): Promise<Result<T, KeychainError>> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, deadlineMs, 'late');
  });
  try {
    const first = await Promise.race([work.then((value) => ({ value })), deadline]);
    if (first !== 'late') return succeed(first.value);
    return fail('E_KEYCHAIN_LOCKED', `it did not answer in time; ${UNLOCK_HINT}`);
  } catch (thrown) {
    // keytar has no codes: it passes libsecret's sentence on. A lock is the likely one.
    const sentence = String(thrown);
    if (/lock|prompt|dismiss/i.test(sentence))
      return fail('E_KEYCHAIN_LOCKED', UNLOCK_HINT, thrown);
    return fail('E_KEYCHAIN_MISSING', `it refused; ${MISSING_HINT}`, thrown);
  } finally {
    clearTimeout(timer);
  }
}
