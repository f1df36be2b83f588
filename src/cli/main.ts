/**
 * The `sealway` command.
 *
 * Layer: cli, composition root. Exit status: 0 done; 1 refused or failed, with one line on standard
 * error; 2 the command line was not understood. `run` and `open` end as their program does.
 */
import { readFileSync } from 'node:fs';
import { CommanderError, type Command } from 'commander';
import { CommandFailure } from './agent-client.js';
import { separateCommand } from './arguments.js';
import { complaintOf, Output } from './output.js';
import { buildProgram } from './program.js';

const argv = separateCommand(process.argv.slice(2));
const out = new Output(argv.slice(0, endOfOurOptions(argv)).includes('--json'));

/** Words after `--` belong to somebody else. */
function endOfOurOptions(words: readonly string[]): number {
  const separator = words.indexOf('--');
  return separator === -1 ? words.length : separator;
}

function ownVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function exitOverrideEverywhere(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) exitOverrideEverywhere(child);
}

function statusOf(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  if (thrown instanceof CommandFailure) {
    out.complain(thrown.complaint);
    return thrown.complaint.code === 'E_USAGE' ? 2 : 1;
  }
  // A bug. Its stack goes to whoever asks for it, not to whoever meets it.
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  out.complain(complaintOf('E_IO', text));
  if (process.env['SEALWAY_DEBUG'] === '1') process.stderr.write(`${String(thrown)}\n`);
  return 1;
}

// A reader that goes away (`| head`) ends us quietly.
process.stdout.on('error', () => process.exit(0));

const program = buildProgram(ownVersion(), (status) => {
  process.exitCode = status;
});
exitOverrideEverywhere(program);
try {
  await program.parseAsync(argv, { from: 'user' });
} catch (thrown) {
  process.exitCode = statusOf(thrown);
}
