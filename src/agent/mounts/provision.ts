/**
 * What one sealfs must know, drawn from the services at the moment it connects.
 *
 * Layer: agent.
 */
import type { SealfsSession } from '../../contracts/sealfs-control.js';
import type { PolicySet } from '../../core/policy/policy-set.js';
import type { TableService } from '../decisions/table-service.js';
import type { KeyAuthority } from '../keys/key-authority.js';
import type { StoredFolder } from './folder-store.js';
import type { SealfsKey, SealfsProvision } from './mounted-folder.js';

export interface ProvisionSources {
  readonly keys: KeyAuthority;
  readonly tables: Pick<TableService, 'current'>;
  readonly sessions: { readonly active: () => readonly SealfsSession[] };
  readonly set: () => PolicySet;
}

export function provisionOf(folder: StoredFolder, sources: ProvisionSources): SealfsProvision {
  const { keys, tables, sessions, set } = sources;
  return {
    configuration: () => ({
      label: folder.label,
      area: folder.area,
      keyEpoch: newestEpoch(keys, folder),
      deviceId: keys.device,
      exclude: folder.profileOf === null ? [...set().folders.excludedNames] : [],
      profile: folder.profileOf !== null,
    }),
    keys: () => keysOnDevice(keys),
    table: () => tables.current,
    sessions: () => sessions.active(),
  };
}

/** Every key that is not withdrawn: sealed files of other folders may be copied into this one. */
export function keysOnDevice(keys: KeyAuthority): SealfsKey[] {
  return keys.list().flatMap(({ id }) => {
    const found = keys.get(id);
    return found.ok ? [{ ...id, key: Buffer.from(found.value.key).toString('hex') }] : [];
  });
}

function newestEpoch(keys: KeyAuthority, { area, label }: StoredFolder): number {
  const epochs = keys
    .list()
    .filter(({ id }) => id.area === area && id.label === label)
    .map(({ id }) => id.epoch);
  return Math.max(1, ...epochs);
}
