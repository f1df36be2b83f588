/**
 * The list of protected folders, kept in `folders.json` of the state directory.
 *
 * Layer: agent. Order of writes: a folder enters the list before its first file is sealed and leaves
 * it after the last one is unsealed, so a crash in between finds the folder again and goes on.
 * Not here: what is done with a folder (`mount-service.ts`).
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { fail, succeed, type Result } from '../../core/errors/result.js';
import { writeFileAtomic } from '../../platform/atomic-file.js';
import { failFromThrown } from '../../platform/errno.js';

const StoredFolder = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{12}$/),
  directory: z.string().startsWith('/'),
  label: z.string(),
  area: z.string(),
  /** `null`: every user's; otherwise the profile folder of this user's sealed sessions. */
  profileOf: z.int().nullable(),
  engine: z.enum(['sealfs', 'watched-folder']),
});
export type StoredFolder = z.infer<typeof StoredFolder>;

const StoredFolders = z.strictObject({ version: z.literal(1), folders: z.array(StoredFolder) });

export class FolderStore {
  private readonly path: string;
  private folders: StoredFolder[];

  private constructor(path: string, folders: StoredFolder[]) {
    this.path = path;
    this.folders = folders;
  }

  /** Reads the list; a missing file is an empty list, a malformed one an error that names where. */
  static async open(path: string): Promise<Result<FolderStore>> {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (thrown) {
      const failure = failFromThrown(thrown, `read ${path}`);
      return failure.error.code === 'E_NOT_FOUND' ? succeed(new FolderStore(path, [])) : failure;
    }
    const parsed = parseStored(text);
    if (parsed === undefined)
      return fail('E_IO', `${path} is damaged: it is no folder list of version 1`);
    return succeed(new FolderStore(path, parsed.folders));
  }

  list(): readonly StoredFolder[] {
    return this.folders;
  }

  /** Durable when it resolves. */
  async add(folder: StoredFolder): Promise<Result<number>> {
    this.folders = [...this.folders.filter(({ id }) => id !== folder.id), folder];
    return this.save();
  }

  async remove(id: string): Promise<Result<number>> {
    this.folders = this.folders.filter((folder) => folder.id !== id);
    return this.save();
  }

  private save(): Promise<Result<number>> {
    const text = JSON.stringify({ version: 1, folders: this.folders }, null, 2);
    return writeFileAtomic(this.path, `${text}\n`, { mode: 0o600 });
  }
}

function parseStored(text: string): z.infer<typeof StoredFolders> | undefined {
  try {
    return StoredFolders.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
