/**
 * Files with several names (hard links), collected so that all names of one are replaced together.
 *
 * Layer: agent. Memory: the names of files that have more than one.
 */
import type { FileEntry } from './walk.js';
import { inodeKey, type InodeKey } from './open-writers.js';

/** All names of one file that the walk has found. */
export interface LinkGroup {
  readonly names: (readonly Buffer[])[];
  /** One worker has taken the whole group; the others pass by. */
  claimed: boolean;
}

/** Takes the group; false when another worker has it. */
export function claim(group: LinkGroup): boolean {
  if (group.claimed) return false;
  group.claimed = true;
  return true;
}

export class LinkGroups {
  private readonly groups = new Map<InodeKey, LinkGroup>();

  add({ stats, components }: FileEntry): void {
    if (stats.nlink < 2n) return;
    const key = inodeKey(stats);
    const group = this.groups.get(key) ?? { names: [], claimed: false };
    group.names.push(components);
    this.groups.set(key, group);
  }

  of({ stats }: FileEntry): LinkGroup | null {
    return this.groups.get(inodeKey(stats)) ?? null;
  }
}
