import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { toggleTag } from '#src/core/container/accumulator.js';
import { deriveFrameKeys } from '#src/core/container/file-keys.js';
import { frameTag, sealFrameInto } from '#src/core/container/frame.js';
import { frameOffset } from '#src/core/container/geometry.js';
import { parseHead } from '#src/core/container/head.js';
import { nextSlot, openSecret, type OpenedHead } from '#src/core/container/head-secret.js';
import { nodeContainerCrypto as crypto } from '#src/platform/container/node-crypto.js';
import { TEST_KEY } from '../../support/container-samples.js';
import { readAsSealed, readSealed, sealBytes } from '../../support/sealed-file.js';
import { withTempDirectory } from '../../support/temp-directory.js';

const LOG2 = 12;
const PLAIN = Buffer.alloc(3 * 4096, 'a');
const CHANGED = Buffer.concat([PLAIN.subarray(0, 4096), Buffer.alloc(4096, 'b'), PLAIN.subarray(8192)]);

function openedHead(bytes: Buffer): OpenedHead {
  const head = parseHead(bytes, crypto);
  const opened = head.ok ? openSecret(head.value, TEST_KEY, crypto) : head;
  if (!opened.ok) throw new Error(opened.error.code);
  return opened.value;
}

/** Writes chunk 1 anew in place, as a file system does: old tag out, new tag in. */
async function rewriteChunk(path: string, plain: Buffer): Promise<void> {
  const bytes = await readFile(path);
  const { head, secret } = openedHead(bytes);
  const keys = deriveFrameKeys(secret.fileKey, head.fields.fileId, crypto);
  const frame = bytes.subarray(frameOffset(LOG2, 1), frameOffset(LOG2, 2));
  toggleTag(secret.accumulator, 1, frameTag(frame), keys, crypto);
  sealFrameInto(frame, 1, plain, crypto.randomBytes(12), keys, crypto);
  toggleTag(secret.accumulator, 1, frameTag(frame), keys, crypto);
  const write = nextSlot(head, { state: 'sealed' }, secret, TEST_KEY, crypto);
  if (!write.ok) throw new Error(write.error.code);
  bytes.set(write.value.bytes, write.value.diskOffset);
  await writeFile(path, bytes);
}

describe('an older version of a frame', () => {
  it('is refused when it is put back', async () => {
    await withTempDirectory(async (directory) => {
      const path = join(directory, 'file');
      await sealBytes(path, PLAIN, { chunkSizeLog2: LOG2 });
      const before = await readFile(path);
      await rewriteChunk(path, CHANGED.subarray(4096, 8192));
      expect((await readSealed(path)).plain.equals(CHANGED)).toBe(true);
      const bytes = await readFile(path);
      before.copy(bytes, frameOffset(LOG2, 1), frameOffset(LOG2, 1), frameOffset(LOG2, 2));
      const { plain, error } = await readAsSealed(path, bytes);
      expect(error?.code).toBe('E_CONTAINER_SEAL');
      expect(plain).toHaveLength(0);
    });
  });

  it('is noticed at the end when it is put back between the two passes', async () => {
    await withTempDirectory(async (directory) => {
      const path = join(directory, 'file');
      const plain = Buffer.alloc(3 * 2 ** 20, 'a');
      await sealBytes(path, plain, { chunkSizeLog2: 20 });
      const bytes = await readFile(path);
      const { head, secret } = openedHead(bytes);
      const keys = deriveFrameKeys(secret.fileKey, head.fields.fileId, crypto);
      const frame = bytes.subarray(frameOffset(20, 2), frameOffset(20, 3));
      sealFrameInto(frame, 2, Buffer.alloc(2 ** 20, 'z'), crypto.randomBytes(12), keys, crypto);
      const { openSealed } = await import('#src/platform/container/open-sealed.js');
      const { keyLookup } = await import('../../support/container-samples.js');
      const opened = await openSealed(path, keyLookup());
      if (!opened.ok) throw new Error(opened.error.code);
      const handle = await open(path, 'r+');
      await handle.write(frame, 0, frame.length, frameOffset(20, 2));
      await handle.close();
      const outcomes: string[] = [];
      for await (const chunk of opened.value.chunks()) {
        outcomes.push(chunk.ok ? 'data' : chunk.error.code);
      }
      await opened.value.close();
      expect(outcomes.at(-1)).toBe('E_CONTAINER_SEAL');
    });
  });
});
