/**
 * Makes `sealway run CMD -x` mean what people expect: everything after the command's name belongs
 * to the command, with or without `--`.
 *
 * Layer: cli. Not here: parsing itself (commander, `program.ts`).
 */
const WITH_VALUE = ['--state', '--application', '--user'];

/** `argv` without node and script, with `--` put in front of the words that `run` is to start. */
export function separateCommand(argv: readonly string[]): string[] {
  const run = nextWord(argv, 0);
  if (argv[run] !== 'run') return [...argv];
  const command = nextWord(argv, run + 1);
  if (command >= argv.length || argv[command] === '--') return [...argv];
  return [...argv.slice(0, command), '--', ...argv.slice(command)];
}

/** Index of the first word from `start` that is no option of ours nor its value. */
function nextWord(argv: readonly string[], start: number): number {
  let index = start;
  while (index < argv.length) {
    const word = argv[index] ?? '';
    if (word === '--' || !word.startsWith('-')) return index;
    index += WITH_VALUE.includes(word) ? 2 : 1;
  }
  return index;
}
