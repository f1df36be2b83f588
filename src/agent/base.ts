/**
 * What the agent cannot be without: state lock, policy, keys, trail. Opened in this order.
 *
 * Layer: agent. A failure here ends the start with its reason; nothing has been mounted then.
 */
import { succeed, type Result } from '../core/errors/result.js';
import type { RecordEvent } from '../core/records/record.js';
import type { Logger } from '../platform/logger.js';
import { acquireStateLock, type StateLock } from '../platform/state-lock.js';
import { openKeychain } from './keys/keychain.js';
import { openKeyAuthority, type KeyAuthority } from './keys/key-authority.js';
import type { KeyVault } from './keys/key-vault.js';
import { keychainVault } from './keys/vault-keychain.js';
import { serviceVault } from './keys/vault-service.js';
import type { AgentOptions } from './options.js';
import { PolicyStore } from './policy/policy-store.js';
import { openTrail } from './records/open-trail.js';
import type { TrailWriter } from './records/trail-writer.js';
import { prepareStateDirectory } from './state-directory.js';

export interface AgentBase {
  readonly lock: StateLock;
  readonly policy: PolicyStore;
  readonly keys: KeyAuthority;
  readonly trail: TrailWriter;
  /** Called with each key event from now on; it has been recorded already. */
  readonly onKeyEvent: (listener: (event: RecordEvent) => void) => void;
}

export async function openBase(options: AgentOptions, log: Logger): Promise<Result<AgentBase>> {
  const { stateDirectory } = options;
  const prepared = await prepareStateDirectory(stateDirectory);
  if (!prepared.ok) return prepared;
  const lock = acquireStateLock(stateDirectory);
  if (!lock.ok) return lock;
  const policy = new PolicyStore();
  const loaded = await policy.load(options.policyDirectory, { allowLab: options.allowLab });
  if (!loaded.ok) return loaded;
  const keyEvents = new KeyEvents();
  const keys = await openKeyAuthority({
    vault: await vaultFor(options),
    onEvent: (event) => {
      keyEvents.take(event);
    },
  });
  if (!keys.ok) return keys;
  const trail = await openTrail({
    stateDir: stateDirectory,
    signer: keys.value,
    logger: log,
    startDetails: { mode: options.mode, policy: loaded.value.set.version },
  });
  if (!trail.ok) return trail;
  keyEvents.listen((event) => void trail.value.append(event));
  return succeed({
    lock: lock.value,
    policy,
    keys: keys.value,
    trail: trail.value,
    onKeyEvent: (listener) => {
      keyEvents.listen(listener);
    },
  });
}

async function vaultFor({ mode, stateDirectory }: AgentOptions): Promise<KeyVault> {
  if (mode === 'service') return serviceVault(stateDirectory);
  return keychainVault(stateDirectory, openKeychain(process.env));
}

/** The first keys are made before there is a trail to record them in: they wait here. */
class KeyEvents {
  private readonly waiting: RecordEvent[] = [];
  private readonly listeners: ((event: RecordEvent) => void)[] = [];

  take(event: RecordEvent): void {
    if (this.listeners.length === 0) this.waiting.push(event);
    for (const listener of this.listeners) listener(event);
  }

  listen(listener: (event: RecordEvent) => void): void {
    this.listeners.push(listener);
    for (const event of this.waiting.splice(0)) listener(event);
  }
}
