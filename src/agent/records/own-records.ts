/**
 * What is recorded about a person, for that person: the newest records that name the own uid.
 *
 * Layer: agent. An administrator sees all. Reads the trail's database through its own connection.
 */
import { succeed, type Result } from '../../core/errors/result.js';
import type { TrailRecord } from '../../core/records/record.js';
import { trailPathIn } from '../../platform/trail-paths.js';
import { openTrailForReading } from '../../platform/trail-reader.js';
import type { Caller } from '../api/caller.js';

/** How far back a person's own records are looked for. */
const LOOK_BACK_RECORDS = 20_000;

export class OwnRecords {
  private readonly stateDirectory: string;

  constructor(stateDirectory: string) {
    this.stateDirectory = stateDirectory;
  }

  async tail(
    caller: Pick<Caller, 'uid' | 'role'>,
    count: number,
  ): Promise<Result<{ readonly records: TrailRecord[] }>> {
    const isAdmin = caller.role === 'admin';
    const all = await this.newest(isAdmin ? count : LOOK_BACK_RECORDS);
    if (!all.ok) return all;
    const visible = all.value.filter(({ user }) => isAdmin || user?.uid === caller.uid);
    return succeed({ records: visible.slice(-count) });
  }

  /** The newest event of each protected folder that the trail holds, by folder id. */
  async newestEventOfFolders(): Promise<ReadonlyMap<string, number>> {
    const newest = new Map<string, number>();
    const all = await this.newest(LOOK_BACK_RECORDS);
    for (const { details } of all.ok ? all.value : []) {
      const { folder, sequence } = details ?? {};
      if (typeof folder !== 'string' || typeof sequence !== 'number') continue;
      newest.set(folder, Math.max(newest.get(folder) ?? -1, sequence));
    }
    return newest;
  }

  private async newest(count: number): Promise<Result<TrailRecord[]>> {
    const opened = await openTrailForReading(trailPathIn(this.stateDirectory));
    if (!opened.ok) return opened;
    try {
      const records: TrailRecord[] = [];
      for await (const { body } of opened.value.tail({ count })) {
        records.push(JSON.parse(body) as TrailRecord);
      }
      return succeed(records);
    } finally {
      await opened.value.close();
    }
  }
}
