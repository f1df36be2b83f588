/** All benchmarks, one after another: `npm run bench`. Arguments go to each (`--short`, `--full`). */
import { spawnSync } from 'node:child_process';

const BENCHES = ['fs', 'records'];

for (const name of BENCHES) {
  process.stdout.write(`\n== ${name}\n`);
  const program = new URL(`${name}.js`, import.meta.url).pathname;
  const { status } = spawnSync(process.execPath, [program, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}
