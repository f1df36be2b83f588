/**
 * The verdict table in force: compiled from the policy set, again when it changes or time does.
 *
 * Layer: agent. A set that does not compile leaves the old table in force; until the first one has
 * been compiled the table is empty, which denies everything.
 * Profile folders of sealed sessions have a label and an area of their own (`profileLabel`): their
 * rows are added here, since no policy set knows them.
 */
import { EventEmitter } from 'node:events';
import type { SealfsTable } from '../../contracts/sealfs-control.js';
import type { PolicySet } from '../../core/policy/policy-set.js';
import { profileLabel } from '../mounts/mount-service.js';
import { compileDeviceTable, type DeviceTable } from '../policy/device-table.js';

interface TableEvents {
  table: [SealfsTable];
  warning: [string];
}

export interface TableServiceParts {
  readonly deviceId: string;
  readonly currentSet: () => PolicySet | null;
  readonly areas: () => readonly string[];
}

const EMPTY: SealfsTable = {
  version: 'none',
  labels: [],
  applications: [],
  executables: [],
  rows: [],
};
/** Longest sleep of a timer; a later change is looked at again then. */
const LONGEST_TIMER_MS = 24 * 60 * 60 * 1000;

export class TableService extends EventEmitter<TableEvents> {
  private readonly parts: TableServiceParts;
  private readonly profiles = new Set<number>();
  private compiled: SealfsTable = EMPTY;
  private timer: NodeJS.Timeout | undefined;

  constructor(parts: TableServiceParts) {
    super();
    this.parts = parts;
  }

  /** The table as every sealfs must have it. */
  get current(): SealfsTable {
    const { labels, applications, rows } = this.compiled;
    const uids = [...this.profiles];
    const own = uids.flatMap((uid) =>
      applications.map(({ id }) => ({
        uid,
        application: id,
        ...profileLabel(uid),
        open: 'allow' as const,
        modify: 'allow' as const,
        ruleIds: ['own-profile'],
      })),
    );
    const profile = { name: 'profile', level: 0, barrier: false, recordSealedOpens: false };
    return { ...this.compiled, labels: [...labels, profile], rows: [...rows, ...own] };
  }

  /** Lets the sessions of `uid` work with their own profile folder. */
  addProfile(uid: number): void {
    if (this.profiles.has(uid)) return;
    this.profiles.add(uid);
    this.emit('table', this.current);
  }

  /** Compiles the set in force and tells everyone. Rejects never: a fault is a warning. */
  async recompile(): Promise<void> {
    const set = this.parts.currentSet();
    if (set === null) return;
    const compiled = await compileDeviceTable({
      set,
      device: { id: this.parts.deviceId, area: '', compliant: true },
      offline: true,
      areas: this.parts.areas(),
      nowMs: Date.now(),
    }).catch((thrown: unknown) => {
      this.emit('warning', `table not compiled: ${String(thrown)}`);
      return undefined;
    });
    if (compiled === undefined) return;
    this.take(compiled);
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private take(compiled: DeviceTable): void {
    const { version, labels, applications, executables, rows, nextChangeAtMs } = compiled.table;
    this.compiled = {
      version,
      labels: [...labels],
      applications: [...applications],
      executables: [...executables],
      rows: rows.map((row) => ({ ...row, ruleIds: [...row.ruleIds] })),
    };
    for (const { application, path, code } of compiled.warnings) {
      if (code !== 'missing') this.emit('warning', `${application}: ${path}: ${code}`);
    }
    for (const fault of compiled.faults) this.emit('warning', fault);
    this.emit('table', this.current);
    this.planNext(nextChangeAtMs);
  }

  private planNext(atMs: number | null): void {
    clearTimeout(this.timer);
    if (atMs === null) return;
    const delayMs = Math.min(Math.max(atMs - Date.now(), 1000), LONGEST_TIMER_MS);
    this.timer = setTimeout(() => void this.recompile(), delayMs);
    this.timer.unref();
  }
}
