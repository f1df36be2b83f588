/**
 * Seals everything that is in a folder: the initial sealing of a folder that becomes protected.
 *
 * Layer: agent. Idempotent and resumable: sealed files are known by their heads, and a run that
 * was killed at any moment leaves nothing but temp files, which the next one deletes.
 * Order of writes and what a crash leaves: `file-replacer.ts`.
 * Not here: mounting, policy, records (see `onSealed`).
 *
 * Files that other programs are writing are left alone and reported (`E_FOLDER_FILE_IN_USE`); a
 * later run takes them. A program that opens a file for writing just while it is being sealed is
 * dealt with in `late-writers.ts`.
 */
import type { Result } from '../../core/errors/result.js';
import { sealFile, type FolderSeal, type SealedEvent, type SealerContext } from './file-sealer.js';
import {
  runOverFolder,
  type FolderReport,
  type FolderRun,
  type FolderRunOptions,
} from './folder-run.js';
import { LateWriters } from './late-writers.js';
import { WriterWatch } from './open-writers.js';

export interface SealDirectoryOptions extends FolderSeal, FolderRunOptions {
  readonly onSealed?: ((event: SealedEvent) => void) | undefined;
}

/**
 * Seals every regular file below `path` that is not sealed yet.
 *
 * @param path - a directory; `/proc/self/fd/N` for one that the caller holds open.
 * @returns the report; or why the run stopped: `E_DISK_FULL`, `E_READ_ONLY`, `E_CONTAINER_KEY`,
 *   `E_FOLDER_CANCELLED`, `E_TOO_MANY_OPEN`, `E_FOLDER_NOT_FOUND`. Nothing is lost then: each file
 *   is either sealed or as it was.
 */
export async function sealDirectory(
  path: string,
  options: SealDirectoryOptions,
): Promise<Result<FolderReport>> {
  const writers = new WriterWatch();
  const late = new LateWriters();
  return runOverFolder(path, options, {
    wantsSealed: false,
    fatal: ['E_CONTAINER_KEY'],
    work: (run, { directory, components, ...entry }) => {
      const links = run.links.of({ directory, components, ...entry });
      return sealFile(contextOf(run, options, writers, late), { directory, components, links });
    },
    settle: () => late.settle(),
  });
}

function contextOf(
  run: FolderRun,
  seal: SealDirectoryOptions,
  writers: WriterWatch,
  late: LateWriters,
): SealerContext {
  return {
    root: run.root,
    seal,
    writers,
    late,
    onBytes: (bytes) => {
      run.countBytes(bytes);
    },
    onSealed: (event) => seal.onSealed?.(event),
    onFinding: (path, error) => {
      run.addFinding(path, error);
    },
  };
}
