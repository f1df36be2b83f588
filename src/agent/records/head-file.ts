/**
 * The head file: the newest signed head, kept beside the trail's database.
 *
 * Layer: agent. It lets a cut-off tail or a restored old database be noticed on the spot. Whoever
 *   can write both files can put back an old pair; against that stand the heads that the console
 *   keeps. Spec: docs/spec/record-v1.md, section 5.
 * Order of writes: the database first, this file after, atomically; so it is never ahead of the
 *   database unless the database went back.
 */
import { readFile } from 'node:fs/promises';
import { canonicalText } from '../../core/records/encode.js';
import type { Checkpoint } from '../../core/records/checkpoint.js';
import { parseCheckpoint } from '../../core/records/export-format.js';
import type { Result } from '../../core/errors/result.js';
import { writeFileAtomic } from '../../platform/atomic-file.js';
import { errnoOf } from '../../platform/errno.js';
import { headFileOf } from '../../platform/trail-paths.js';

/** `absent`, or `damaged` when there is something that is no checkpoint. */
export async function readHeadFile(trailPath: string): Promise<Checkpoint | 'absent' | 'damaged'> {
  try {
    return parseCheckpoint(await readFile(headFileOf(trailPath), 'utf8')) ?? 'damaged';
  } catch (thrown) {
    return errnoOf(thrown) === 'ENOENT' ? 'absent' : 'damaged';
  }
}

export async function writeHeadFile(
  trailPath: string,
  checkpoint: Checkpoint,
): Promise<Result<number>> {
  const { seq, hash, device, wallMs, publicKey, signature } = checkpoint;
  const text = canonicalText({ seq, hash, device, wallMs, publicKey, signature });
  return writeFileAtomic(headFileOf(trailPath), `${text}\n`, { mode: 0o600 });
}
