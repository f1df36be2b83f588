/**
 * The commands of `sealway`, their options and what each calls.
 *
 * Layer: cli, composition only. The names are an interface: scripts depend on them.
 */
import { Command, InvalidArgumentError } from 'commander';
import { exportRecords, tailRecords, verifyRecords } from './commands/audit.js';
import { demonstrate } from './commands/demo.js';
import { sealPaths, showInfo, unsealFile } from './commands/files.js';
import { checkPolicy, explainPolicy, testPolicy } from './commands/policy.js';
import { protectFolder, unprotectFolder } from './commands/protect.js';
import { openFile, runInSession } from './commands/run.js';
import { listFolders, listSessions, runDoctor, showStatus } from './commands/status.js';
import { up } from './commands/up.js';
import { contextFor, type Context, type GlobalOptions } from './context.js';

/** What a command did: nothing to add, or the exit status to end with. */
type Outcome = Promise<number> | Promise<void>;

/** Called with the exit status of the command that ran. */
export type Finish = (status: number) => void;

/** Builds the command line; `finish` gets the status when the command has ended. */
export function buildProgram(version: string, finish: Finish): Command {
  const program = new Command('sealway')
    .description(
      'Seals office files, lets allowed applications work with them, and keeps the record.',
    )
    .version(version)
    .option('--json', 'machine-readable output')
    .option('--state <directory>', "the agent's state directory")
    .showHelpAfterError('(see sealway --help)');
  const act = (work: (context: Context, args: readonly unknown[]) => Outcome) => {
    return async (...args: unknown[]): Promise<void> => {
      const status = await work(contextFor(program.opts<GlobalOptions>()), args);
      finish(status ?? 0);
    };
  };
  addAgentCommands(program, act);
  addFolderCommands(program, act);
  addSessionCommands(program, act);
  addFileCommands(program, act);
  addAuditCommands(program, act);
  addPolicyCommands(program, act);
  return program;
}

type Act = (
  work: (context: Context, args: readonly unknown[]) => Outcome,
) => (...args: unknown[]) => Promise<void>;

function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('a whole number above 0 is needed');
}

function addAgentCommands(program: Command, act: Act): void {
  const start = (command: Command): Command =>
    command
      .option('--protect <directory>', 'protect this directory (may be repeated)', collect)
      .option('--label <label>', 'label of the directories given with --protect')
      .option('--area <area>', 'area of the directories given with --protect')
      .option('--policy <set>', 'policy set: a directory, or the name of a shipped one')
      .option('--watched-folder', 'do without FUSE: seal files after they are written');
  start(program.command('up'))
    .description('start the agent in the foreground; Ctrl-C leaves everything sealed')
    .action(act((context, [options]) => up(context, options as object)));
  start(program.command('demo'))
    .description('set up a folder with invented office files and show what is protected')
    .action(act((context, [options]) => demonstrate(context, options as object)));
  program.command('status').description('what runs and what is protected').action(act(showStatus));
  program
    .command('doctor')
    .description('what this machine can enforce, and what not')
    .action(act(runDoctor));
}

function addFolderCommands(program: Command, act: Act): void {
  program.command('folders').description('the protected folders').action(act(listFolders));
  program
    .command('protect <directory>')
    .description('seal what is in a directory and guard it from now on')
    .option('--label <label>', 'label of its files')
    .option('--area <area>', 'area whose keys open them')
    .action(
      act((context, [dir, options]) => protectFolder(context, dir as string, options as object)),
    );
  program
    .command('unprotect <directory>')
    .description('stop guarding a directory; its files stay sealed')
    .option('--unseal', 'put its files back in the clear')
    .action(
      act((context, [dir, options]) => unprotectFolder(context, dir as string, options as object)),
    );
}

function addSessionCommands(program: Command, act: Act): void {
  program
    .command('run [command...]')
    .description('run a program in a sealed session; everything after -- belongs to it')
    .option('--application <id>', 'which application of the policy it is')
    .option('--user <name>', 'whose session it is (root only)')
    .action(
      act((context, [command, options]) => {
        const words = command as string[];
        if (words.length === 0) program.error('error: run needs a command', { exitCode: 2 });
        return runInSession(context, words, options as object);
      }),
    );
  program
    .command('open <file>')
    .description('open a sealed file with the application for its type')
    .option('--user <name>', 'whose session it is (root only)')
    .action(
      act((context, [file, options]) => openFile(context, file as string, options as object)),
    );
  program.command('sessions').description('the sealed sessions that run').action(act(listSessions));
}

function addFileCommands(program: Command, act: Act): void {
  program
    .command('info <file>')
    .description('what a sealed file says about itself, without any key')
    .action(act((context, [file]) => showInfo(context, file as string)));
  program
    .command('seal <path...>')
    .description('seal files in place')
    .option('--label <label>', 'their label')
    .option('--area <area>', 'their area')
    .action(
      act((context, [paths, options]) => sealPaths(context, paths as string[], options as object)),
    );
  program
    .command('unseal <file>')
    .description('write a document in the clear, if policy allows it')
    .requiredOption('--out <file>', 'where to')
    .option('--reason <text>', 'why; goes into the record')
    .action(
      act((context, [file, options]) =>
        unsealFile(context, file as string, options as { out: string }),
      ),
    );
}

function addAuditCommands(program: Command, act: Act): void {
  const audit = program.command('audit').description('the trail of records');
  audit
    .command('tail')
    .description('the newest records')
    .option('-n, --count <number>', 'how many', positive, 20)
    .option('-f, --follow', 'go on with each new record')
    .action(act((context, [options]) => tailRecords(context, options as { count: number })));
  audit
    .command('verify [file]')
    .description('check the whole chain of the trail, or of an export')
    .option('--public-key <hex>', "the device's public key, known from elsewhere")
    .action(
      act((context, [file, options]) =>
        verifyRecords(context, file as string | undefined, options as object),
      ),
    );
  audit
    .command('export')
    .description('write the trail to a file that can be verified anywhere')
    .requiredOption('--out <file>', 'where to')
    .action(act((context, [options]) => exportRecords(context, (options as { out: string }).out)));
}

function addPolicyCommands(program: Command, act: Act): void {
  const policy = program.command('policy').description('policy sets');
  policy
    .command('check <set>')
    .description('read a set, check everything, run its tests')
    .action(act((context, [set]) => checkPolicy(context, set as string)));
  policy
    .command('test <set>')
    .description("each of the set's tests")
    .action(act((context, [set]) => testPolicy(context, set as string)));
  policy
    .command('explain <set>')
    .description('what the set decides about an act, which rules, and why')
    .requiredOption('--operation <name>', 'open, modify, print, export …')
    .requiredOption('--user <name>', 'a user of this machine or of the set')
    .option('--application <id>')
    .option('--label <label>')
    .option('--area <area>')
    .option('--destination <kind[:id]>', 'printer, recipient, removable, application or path')
    .option('--hour <0-23>')
    .option('--weekday <1-7>')
    .option('--count <files>', 'files of the last hour, this one included')
    .option('--language <en|zh|ja>')
    .action(
      act((context, [set, options]) =>
        explainPolicy(context, set as string, options as { operation: string; user: string }),
      ),
    );
}
