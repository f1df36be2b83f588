/**
 * The tables of a trail's database, for those that read them.
 *
 * Layer: platform, types and numbers alone. The statements that make them are the migrations in
 * src/agent/records/migrations; a test there compares the two.
 */

/** `PRAGMA application_id` of a trail: "Seal" in ASCII. */
export const TRAIL_APPLICATION_ID = 0x5365616c;

/** The newest schema this program reads. */
export const TRAIL_SCHEMA_VERSION = 1;

/** One row: whose trail this is, and the head before its first record. */
export interface TrailTable {
  readonly one: number;
  readonly device: string;
  readonly base_seq: number;
  readonly base_hash: string;
}

export interface RecordTable {
  readonly seq: number;
  readonly previous: string;
  readonly hash: string;
  /** Canonical text of the record. */
  readonly body: string;
}

export interface CheckpointTable {
  readonly seq: number;
  readonly hash: string;
  readonly device: string;
  readonly wall_ms: number;
  readonly public_key: string;
  readonly signature: string;
}

export interface TrailDatabase {
  readonly trail: TrailTable;
  readonly record: RecordTable;
  readonly checkpoint: CheckpointTable;
}
