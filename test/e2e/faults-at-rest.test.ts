/**
 * Files that were harmed while nobody guarded them: never data, always a record; the neighbours are
 * unharmed.
 */
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { AgentUnderTest } from '../support/agent-under-test.js';
import { flipBit } from '../support/full-disk.js';
import { sha256 } from '../support/office-samples.js';
import { ProtectedFolder, type TrailLine } from '../support/protected-folder.js';
import { describeWhere, missingFuse, missingRoot } from '../support/requirements.js';

import { waitUntil } from '../support/wait-until.js';

/** Head 4096, then frames of 16,384 + 28 bytes. */
const HEAD = 4096;
const FRAME = 16_384 + 28;
const DOCUMENT = 'PLAINVIEW-BLOCKA'.repeat(5000);

interface Harm {
  readonly id: string;
  readonly harm: (path: string, older: Buffer) => void;
  /** Bytes at the beginning that may still be read, being whole. */
  readonly readable?: number;
}

const HARMS: readonly Harm[] = [
  {
    id: 'both-slots',
    harm: (path) => {
      flipBit(path, 512 + 300);
      flipBit(path, 2048 + 300);
    },
  },
  {
    id: 'file-id-of-both',
    harm: (path) => {
      flipBit(path, 512 + 33);
      flipBit(path, 2048 + 33);
    },
  },
  {
    id: 'first-frame-nonce',
    harm: (path) => {
      flipBit(path, HEAD);
    },
  },
  {
    id: 'first-frame',
    harm: (path) => {
      flipBit(path, HEAD + 100);
    },
  },
  {
    id: 'second-frame',
    harm: (path) => {
      flipBit(path, HEAD + FRAME + 100);
    },
    readable: 16_384,
  },
  {
    id: 'last-byte',
    harm: (path) => {
      flipBit(path, -1);
    },
    readable: 65_536,
  },
  {
    id: 'cut-by-one',
    harm: (path) => {
      truncateSync(path, statSync(path).size - 1);
    },
  },
  {
    id: 'cut-by-a-frame',
    harm: (path) => {
      truncateSync(path, HEAD + FRAME);
    },
  },
  {
    id: 'cut-to-the-head',
    harm: (path) => {
      truncateSync(path, HEAD);
    },
  },
  {
    id: 'cut-into-the-head',
    harm: (path) => {
      truncateSync(path, 1000);
    },
  },
  {
    id: 'longer',
    harm: (path) => {
      writeFileSync(path, Buffer.alloc(FRAME), { flag: 'a' });
    },
  },
  {
    id: 'frames-swapped',
    harm: (path) => {
      swapFrames(path);
    },
  },
  {
    id: 'frame-of-an-older-version',
    harm: (path, older) => {
      putBack(path, older, 1);
    },
    readable: 16_384,
  },
];

describeWhere([missingRoot(), missingFuse()], 'files harmed at rest', () => {
  let folder: ProtectedFolder;
  let agent: AgentUnderTest;
  const read = new Map<string, { stdout: string; stderr: string; status: number | null }>();
  let trail: TrailLine[];
  let foreign: Buffer;
  let withoutMagic: Buffer;

  beforeAll(async () => {
    const other = await ProtectedFolder.start({ 'foreign.txt': 'foreign MARKER' });
    foreign = readFileSync(other.path('foreign.txt'));
    await other.dispose();
    const names = [
      ...HARMS.map(({ id }) => `${id}.txt`),
      'unharmed.txt',
      'spliced.txt',
      'magic.txt',
    ];
    const files = Object.fromEntries(names.map((name) => [name, DOCUMENT]));
    folder = await ProtectedFolder.start(files);
    const state = folder.agent.state;
    const older = readFileSync(folder.path('frame-of-an-older-version.txt'));
    const rewrite = `tr A B < FILE > FILE.new && dd if=FILE.new of=FILE conv=notrunc status=none && rm FILE.new`;
    await folder.inside([
      ...['sh', '-c', rewrite.replaceAll('FILE', folder.path('frame-of-an-older-version.txt'))],
    ]);
    await folder.agent.stop();
    for (const { id, harm } of HARMS) harm(folder.path(`${id}.txt`), older);
    flipBit(folder.path('magic.txt'), 3);
    withoutMagic = readFileSync(folder.path('magic.txt'));
    writeFileSync(folder.path('foreign.txt'), foreign);
    spliceFrame(folder.path('unharmed.txt'), folder.path('spliced.txt'));
    agent = await AgentUnderTest.start({ state });
    for (const name of names) {
      const path = folder.path(name);
      const ran = await agent.run(['python3', '-c', READ, path], { as: folder.user });
      read.set(name, ran);
    }
    trail = await waitUntil(
      async () => {
        const lines = await trailOf(agent);
        return lines.filter(({ kind }) => kind === 'integrity').length >= HARMS.length - 2 && lines;
      },
      10_000,
      'the damage is in the trail',
    ).catch(() => trailOf(agent));
  }, 120_000);

  afterAll(async () => {
    await agent.dispose();
    await folder.dispose();
  });

  it.each([...HARMS, { id: 'spliced', readable: 49_152 }])(
    '$id: an error inside, never wrong data',
    ({ id, readable = 0 }) => {
      const ran = read.get(`${id}.txt`);
      const [errno, text] = JSON.parse(ran?.stdout ?? '') as [string, string];
      expect(errno).toMatch(/^(EIO|EINVAL|EACCES|ENOKEY)$/);
      // What could be read before the error is the document's own beginning.
      expect(text.length).toBeLessThanOrEqual(readable);
      expect(text.replaceAll('BLOCKB', 'BLOCKA')).toBe(DOCUMENT.slice(0, text.length));
    },
  );

  it.each(HARMS.filter(({ id }) => id !== 'cut-into-the-head'))(
    '$id: an integrity record names the file',
    ({ id }) => {
      const path = folder.path(`${id}.txt`);
      const record = trail.find((line) => line.kind === 'integrity' && line.object?.path === path);
      expect(record).toBeDefined();
    },
  );

  it('the neighbour is unharmed', () => {
    expect(JSON.parse(read.get('unharmed.txt')?.stdout ?? '')).toEqual(['', DOCUMENT]);
  });

  it('a file of another device: ENOKEY inside, its own bytes outside, and a record', async () => {
    const path = folder.path('foreign.txt');
    const ran = await agent.run(['python3', '-c', READ, path], { as: folder.user });
    expect(JSON.parse(ran.stdout)).toEqual(['ENOKEY', '']);
    expect(readFileSync(path).equals(foreign)).toBe(true);
    const record = await waitUntil(
      async () =>
        (await trailOf(agent)).find(
          (line) => line.object?.path === path && line.details?.['errno'] === 'ENOKEY',
        ),
      10_000,
      'the refused open is in the trail',
    );
    expect(record.outcome).not.toBe('done');
  });

  it('a file of another device that is copied in is kept to the byte', async () => {
    const path = folder.path('copied-in.txt');
    writeFileSync(path, foreign);
    const ran = await agent.run(['sha256sum', path], { as: folder.user });
    expect(ran.stdout.slice(0, 64)).toBe(sha256(foreign));
    expect(readFileSync(path).subarray(0, 8).toString()).toBe('SEALWAY1');
  });

  it('without its magic a container is a file of unknown bytes, and they are kept', () => {
    const [errno, text] = JSON.parse(read.get('magic.txt')?.stdout ?? '') as [string, string];
    expect(errno).toBe('');
    expect(sha256(Buffer.from(text, 'latin1'))).toBe(sha256(withoutMagic));
  });

  it('verify finds the trail whole', async () => {
    expect((await agent.cli(['audit', 'verify'])).status).toBe(0);
  });
});

/** Prints the name of the error met (or none), and what was read before it. */
const READ = `
import errno, json, os, sys
data, name = b'', ''
try:
    fd = os.open(sys.argv[1], os.O_RDONLY)
    while part := os.read(fd, 4096):
        data += part
except OSError as refused:
    name = errno.errorcode[refused.errno]
print(json.dumps([name, data.decode('latin-1')]))
`;

async function trailOf(agent: AgentUnderTest): Promise<TrailLine[]> {
  const ran = await agent.cli(['audit', 'tail', '--json', '--count', '500']);
  return ran.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TrailLine);
}

function swapFrames(path: string): void {
  const bytes = readFileSync(path);
  const first = Buffer.from(bytes.subarray(HEAD, HEAD + FRAME));
  bytes.copy(bytes, HEAD, HEAD + FRAME, HEAD + 2 * FRAME);
  first.copy(bytes, HEAD + FRAME);
  writeFileSync(path, bytes);
}

function putBack(path: string, older: Buffer, frame: number): void {
  const bytes = readFileSync(path);
  older.copy(bytes, HEAD + frame * FRAME, HEAD + frame * FRAME, HEAD + (frame + 1) * FRAME);
  writeFileSync(path, bytes);
}

/** Puts the last whole frame of one file into the place of another's. */
function spliceFrame(from: string, into: string): void {
  putBack(into, readFileSync(from), 3);
}
