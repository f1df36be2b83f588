/** Where a trail lives in a state directory. Layer: platform. */
import { join } from 'node:path';

/** The trail's database. */
export function trailPathIn(stateDir: string): string {
  return join(stateDir, 'trail.db');
}

/** The signed head beside a trail's database. */
export function headFileOf(trailPath: string): string {
  return `${trailPath}.head.json`;
}
