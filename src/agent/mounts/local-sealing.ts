/**
 * The sealing of files at rest (`agent/folders`) with this device's keys, as the folders need it.
 *
 * Layer: agent. Not here: how one file is replaced (`agent/folders`), keys (`agent/keys`).
 */
import { succeed, fail, type Result } from '../../core/errors/result.js';
import { runProcess } from '../../platform/child-process.js';
import type { KeyLookup } from '../../platform/container/key-lookup.js';
import { excludeByPatterns } from '../folders/exclude-patterns.js';
import type { CopyMetadata } from '../folders/file-replacer.js';
import type { FolderReport } from '../folders/folder-run.js';
import { sealDirectory } from '../folders/seal-directory.js';
import { unsealDirectory } from '../folders/unseal-directory.js';
import { watchFolder } from '../folders/watched-folder.js';
import type { KeyAuthority } from '../keys/key-authority.js';
import type { SealingOutcome, SealingPort, SealingRequest } from './sealing-port.js';

export interface LocalSealingParts {
  readonly keys: KeyAuthority;
  /** Name patterns that stay as they are: lock files of office suites. */
  readonly excludedNames: () => readonly string[];
  readonly onSealed: (directory: string, path: string, fileId: string) => void;
}

/** A copy of the key for each asking: the container wipes what it gets. */
export function keyLookupOf(keys: KeyAuthority): KeyLookup {
  return (name) => {
    const found = keys.get(name);
    return found.ok ? succeed(Uint8Array.from(found.value.key)) : found;
  };
}

export function localSealing(parts: LocalSealingParts): SealingPort {
  const excluded = (): ((path: string) => boolean) => excludeByPatterns(parts.excludedNames());
  const sealOptions = async (
    label: string,
    area: string,
  ): Promise<Result<Parameters<typeof sealDirectory>[1]>> => {
    const current = await parts.keys.current(area, label);
    if (!current.ok) return current;
    return succeed({
      label,
      area,
      epoch: current.value.id.epoch,
      keyFor: keyLookupOf(parts.keys),
      deviceId: parts.keys.deviceId,
      copyMetadata,
      exclude: excluded(),
    });
  };
  return {
    seal: async ({ directory, label, area, report, signal }) => {
      const options = await sealOptions(label, area);
      if (!options.ok) return options;
      const run = await sealDirectory(directory, {
        ...options.value,
        signal,
        onProgress: (progress) => {
          report({ type: 'progress', ...progress });
        },
        onSealed: ({ path, fileId }) => {
          parts.onSealed(directory, path, fileId);
        },
      });
      return outcomeOf(run, report);
    },
    unseal: async ({ directory, report, signal }) => {
      const run = await unsealDirectory(directory, {
        keyFor: keyLookupOf(parts.keys),
        copyMetadata,
        signal,
        onProgress: (progress) => {
          report({ type: 'progress', ...progress });
        },
      });
      return outcomeOf(run, report);
    },
    watch: async ({ directory, label, area }) => {
      const options = await sealOptions(label, area);
      if (!options.ok) return options;
      return watchFolder(directory, {
        ...options.value,
        onSealed: ({ path, fileId }) => {
          parts.onSealed(directory, path, fileId);
        },
      });
    },
  };
}

function outcomeOf(
  run: Result<FolderReport>,
  report: SealingRequest['report'],
): Result<SealingOutcome> {
  if (!run.ok) return run;
  for (const { path, error } of run.value.findings) {
    report({ type: 'finding', path, code: error.code, detail: error.detail });
  }
  const skipped = run.value.findingsTotal + run.value.othersSkipped;
  return succeed({ sealed: run.value.filesDone, skipped });
}

/** Node cannot copy extended attributes and ACLs; cp(1) of coreutils can, without touching bytes. */
const copyMetadata: CopyMetadata = async (fromPath, toPath) => {
  // ACLs go with the mode; as extended attributes cp leaves them out.
  const args = ['--attributes-only', '--preserve=mode,xattr', '--', fromPath, toPath];
  const copied = await runProcess('/bin/cp', args, { timeoutMs: 10_000 });
  if (!copied.ok) return copied;
  if (copied.value.code === 0) return succeed(null);
  return fail('E_IO', `extended attributes and ACL: ${copied.value.stderr.trim().slice(0, 200)}`);
};
