import { describe, expect, it } from '@jest/globals';
import { ProgressMeter, UNITS_PER_FILE, type FolderProgress } from './progress.js';

describe('ProgressMeter', () => {
  it('gives rate and time left from what is done', () => {
    let now = 0;
    const totals = { files: 4, bytes: 4 * UNITS_PER_FILE };
    const meter = new ProgressMeter(totals, undefined, () => now);
    expect(meter.current().secondsLeft).toBeNull();
    now = 2000;
    meter.addBytes(UNITS_PER_FILE);
    meter.addFile();
    expect(meter.current()).toMatchObject({ bytesPerSecond: UNITS_PER_FILE / 2, secondsLeft: 6 });
  });

  it('reports at most ten times a second, and always the end', () => {
    let now = 0;
    const seen: FolderProgress[] = [];
    const report = (progress: FolderProgress): number => seen.push(progress);
    const meter = new ProgressMeter({ files: 1000, bytes: 0 }, report, () => now);
    for (; now < 1000; now++) meter.addFile();
    meter.finish();
    expect(seen).toHaveLength(11);
    expect(seen.at(-1)).toMatchObject({ filesDone: 1000, filesTotal: 1000 });
  });
});
