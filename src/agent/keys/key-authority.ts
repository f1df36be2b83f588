/**
 * The local key authority: one 256-bit key for each area, label and epoch, and the device's own.
 *
 * Layer: agent. Spec: docs/spec/container-v1.md ("Keys"). In a company the console takes this
 *   place; the ids and the keys' use stay the same.
 * Order of writes: a new key is stored before it is handed out. A crash leaves a key that nothing
 *   uses, never a file whose key is gone.
 */
import { randomBytes } from 'node:crypto';
import { fail, succeed, type AppError, type Result } from '../../core/errors/result.js';
import type { RecordEvent } from '../../core/records/record.js';
import { systemClock, type Clock } from '../../platform/clock.js';
import { checkKeyName, formatKeyId, type KeyId } from './key-id.js';
import {
  createRing,
  devicePublicKey,
  KEY_BYTES,
  parseRing,
  serializeRing,
  signAsDevice,
  wipe,
  type KeyRing,
  type RingKey,
} from './key-ring.js';
import type { KeyVault, VaultDescription } from './key-vault.js';

/** A key and its name. The bytes belong to the authority: do not change or keep them. */
export interface AreaKey {
  readonly id: KeyId;
  readonly key: Uint8Array;
}

export interface KeySummary {
  readonly id: KeyId;
  readonly createdMs: number;
  readonly withdrawnMs?: number;
}

export interface KeyAuthorityOptions {
  readonly vault: KeyVault;
  readonly clock?: Clock;
  /** Told of each new, rotated and withdrawn key: hand it to the trail. */
  readonly onEvent?: (event: RecordEvent) => void;
}

/**
 * Loads the keys, or makes a new device when the vault is empty.
 *
 * @returns what `KeyVault.load` and `store` fail with. Nothing is created where something is
 *   stored that cannot be opened.
 */
export async function openKeyAuthority(
  options: KeyAuthorityOptions,
): Promise<Result<KeyAuthority>> {
  const loaded = await options.vault.load();
  if (!loaded.ok) return loaded;
  if (loaded.value !== undefined) {
    const ring = parseRing(loaded.value);
    loaded.value.fill(0);
    return ring.ok ? succeed(new KeyAuthority(ring.value, options)) : ring;
  }
  const ring = createRing();
  const stored = await storeRing(options.vault, ring);
  return stored.ok ? succeed(new KeyAuthority(ring, options)) : stored;
}

export class KeyAuthority {
  /** 32 hex digits. */
  readonly device: string;
  /** Ed25519, 64 hex digits. */
  readonly publicKey: string;
  private readonly ring: KeyRing;
  private readonly options: KeyAuthorityOptions;
  private readonly clock: Clock;
  /** One change after another: each is stored before the next begins. */
  private changes: Promise<unknown> = Promise.resolve();
  private closed = false;

  constructor(ring: KeyRing, options: KeyAuthorityOptions) {
    this.ring = ring;
    this.options = options;
    this.clock = options.clock ?? systemClock();
    this.device = ring.deviceId.toString('hex');
    this.publicKey = devicePublicKey(ring);
  }

  /** 16 bytes, a copy. */
  get deviceId(): Uint8Array {
    return Uint8Array.from(this.ring.deviceId);
  }

  /** Ed25519 signature by the device over the UTF-8 bytes of `message`, 128 hex digits. */
  sign(message: string): string {
    this.assertOpen();
    return signAsDevice(this.ring, message);
  }

  /**
   * The newest key for an area and label, made when there is none: what new files are sealed with.
   *
   * @returns `E_KEY_NAME`; `E_KEY_WITHDRAWN` when the newest was withdrawn (rotate first); a
   *   code of the vault when a new key cannot be stored.
   */
  current(area: string, label: string): Promise<Result<AreaKey>> {
    return this.inTurn(async () => {
      const name = checkKeyName(area, label);
      if (!name.ok) return name;
      const newest = this.newest(area, label);
      if (newest === undefined) return this.create({ area, label, epoch: 1 }, 'key-created');
      return handOut(newest);
    });
  }

  /** The key of an id, for opening. `E_KEY_UNKNOWN` or `E_KEY_WITHDRAWN`. */
  get(id: KeyId): Result<AreaKey, AppError<'E_KEY_UNKNOWN' | 'E_KEY_WITHDRAWN'>> {
    this.assertOpen();
    const found = this.find(id);
    return found === undefined ? fail('E_KEY_UNKNOWN', formatKeyId(id)) : handOut(found);
  }

  /** Starts a new epoch. Earlier ones go on opening what they sealed. */
  rotate(area: string, label: string): Promise<Result<AreaKey>> {
    return this.inTurn(async () => {
      const name = checkKeyName(area, label);
      if (!name.ok) return name;
      const epoch = (this.newest(area, label)?.id.epoch ?? 0) + 1;
      return this.create({ area, label, epoch }, 'key-rotation');
    });
  }

  /** Stops handing a key out. It stays stored: withdrawing is no destruction. `E_KEY_UNKNOWN`. */
  withdraw(id: KeyId): Promise<Result<void>> {
    return this.inTurn(async () => {
      const found = this.find(id);
      if (found === undefined) return fail('E_KEY_UNKNOWN', formatKeyId(id));
      if (found.withdrawnMs !== undefined) return succeed(undefined);
      found.withdrawnMs = this.clock.wallMs();
      const stored = await storeRing(this.options.vault, this.ring);
      if (!stored.ok) delete found.withdrawnMs;
      else this.tell('key-withdrawal', id);
      return stored;
    });
  }

  /** Every key's name and dates; no key. */
  list(): readonly KeySummary[] {
    return this.ring.keys.map(({ id, createdMs, withdrawnMs }) => ({
      id,
      createdMs,
      ...(withdrawnMs === undefined ? {} : { withdrawnMs }),
    }));
  }

  describe(): VaultDescription {
    return this.options.vault.describe();
  }

  /** Waits for changes under way, then overwrites every key. Using it afterwards is a bug. */
  async close(): Promise<void> {
    await this.changes;
    this.closed = true;
    wipe(this.ring);
  }

  private async create(id: KeyId, kind: 'key-created' | 'key-rotation'): Promise<Result<AreaKey>> {
    const made: RingKey = { id, key: randomBytes(KEY_BYTES), createdMs: this.clock.wallMs() };
    this.ring.keys.push(made);
    const stored = await storeRing(this.options.vault, this.ring);
    if (!stored.ok) {
      this.ring.keys.splice(this.ring.keys.indexOf(made), 1);
      made.key.fill(0);
      return stored;
    }
    this.tell(kind, id);
    return handOut(made);
  }

  private tell(kind: RecordEvent['kind'], { area, label, epoch }: KeyId): void {
    this.options.onEvent?.({ kind, object: { area, label }, outcome: 'done', details: { epoch } });
  }

  private newest(area: string, label: string): RingKey | undefined {
    return this.ring.keys
      .filter(({ id }) => id.area === area && id.label === label)
      .reduce<RingKey | undefined>(
        (best, one) => (best === undefined || one.id.epoch > best.id.epoch ? one : best),
        undefined,
      );
  }

  private find({ area, label, epoch }: KeyId): RingKey | undefined {
    return this.ring.keys.find(
      ({ id }) => id.area === area && id.label === label && id.epoch === epoch,
    );
  }

  private inTurn<T>(change: () => Promise<T>): Promise<T> {
    this.assertOpen();
    const turn = this.changes.then(change);
    this.changes = turn.catch(() => undefined);
    return turn;
  }

  private assertOpen(): void {
    if (this.closed) throw new Error('the key authority has been closed');
  }
}

function handOut({ id, key, withdrawnMs }: RingKey): Result<AreaKey, AppError<'E_KEY_WITHDRAWN'>> {
  return withdrawnMs === undefined
    ? succeed({ id, key })
    : fail('E_KEY_WITHDRAWN', formatKeyId(id));
}

async function storeRing(vault: KeyVault, ring: KeyRing): Promise<Result<void>> {
  const bytes = serializeRing(ring);
  try {
    return await vault.store(bytes);
  } finally {
    bytes.fill(0);
  }
}
