/**
 * Migration 1: the trail's tables, append-only by trigger.
 *
 * Layer: agent. Never edited after a release. Imports nothing.
 * The triggers stop mistakes and plain SQL, not somebody who may write the file: against those
 * stand the chain and the signed heads. The insert trigger is there because `INSERT OR REPLACE`
 * deletes without firing a delete trigger.
 */
export const migration0001 = {
  version: 1,
  sql: `
PRAGMA application_id = 1399153004;

CREATE TABLE trail (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  device TEXT NOT NULL,
  base_seq INTEGER NOT NULL,
  base_hash TEXT NOT NULL
) STRICT;

CREATE TABLE record (
  seq INTEGER PRIMARY KEY,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;

CREATE TABLE checkpoint (
  seq INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,
  device TEXT NOT NULL,
  wall_ms INTEGER NOT NULL,
  public_key TEXT NOT NULL,
  signature TEXT NOT NULL
) STRICT;

CREATE TRIGGER record_insert BEFORE INSERT ON record
WHEN NEW.seq <= (SELECT ifnull(max(seq), 0) FROM record)
BEGIN SELECT RAISE(ABORT, 'the trail only grows at its end'); END;

CREATE TRIGGER record_update BEFORE UPDATE ON record
BEGIN SELECT RAISE(ABORT, 'records are never changed'); END;

CREATE TRIGGER record_delete BEFORE DELETE ON record
BEGIN SELECT RAISE(ABORT, 'records are never deleted'); END;

CREATE TRIGGER checkpoint_insert BEFORE INSERT ON checkpoint
WHEN NEW.seq <= (SELECT ifnull(max(seq), 0) FROM checkpoint)
BEGIN SELECT RAISE(ABORT, 'checkpoints only grow at their end'); END;

CREATE TRIGGER checkpoint_update BEFORE UPDATE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;

CREATE TRIGGER checkpoint_delete BEFORE DELETE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END;

CREATE TRIGGER trail_update BEFORE UPDATE ON trail
BEGIN SELECT RAISE(ABORT, 'the trail keeps its device and base'); END;

CREATE TRIGGER trail_delete BEFORE DELETE ON trail
BEGIN SELECT RAISE(ABORT, 'the trail keeps its device and base'); END;
`,
};
