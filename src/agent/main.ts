/**
 * The agent's program: arguments in, services up, signals to a clean stop.
 *
 * Layer: agent, composition root. Started by `sealway up` or a unit file. Descriptor 3, where there
 * is one, gets a line when the agent serves.
 */
import { writeSync } from 'node:fs';
import { ERROR_CODES } from '../core/errors/catalogue.js';
import type { AppError } from '../core/errors/result.js';
import { createLogger } from '../platform/logger.js';
import { protectAtStart, startAgent } from './agent.js';
import { readOptions } from './options.js';

/** One line for a person, and the exit status of something that was refused. */
function giveUp({ code, detail }: AppError): never {
  process.stderr.write(`sealway: ${ERROR_CODES[code].message} (${detail}) [${code}]\n`);
  process.exit(code === 'E_USAGE' ? 2 : 1);
}

function announce(): void {
  try {
    writeSync(3, '{"type":"ready"}\n');
  } catch {
    // Nobody gave us a descriptor to announce on.
  }
}

// Nothing the agent makes is for others, unless it says so.
process.umask(0o077);
const options = readOptions(process.argv.slice(2));
if (!options.ok) giveUp(options.error);
const log = createLogger({ format: options.value.logJson ? 'json' : 'human' });

let stopAsked: () => void = () => undefined;
const stopping = new Promise<void>((resolve) => {
  stopAsked = resolve;
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopAsked();
  });
}
const agent = await startAgent(options.value, log, () => {
  stopAsked();
});
if (!agent.ok) giveUp(agent.error);
const protectedAll = await protectAtStart(agent.value, log);
if (!protectedAll.ok) {
  await agent.value.stop();
  giveUp(protectedAll.error);
}
log.info('ready', { mode: options.value.mode, state: options.value.stateDirectory });
announce();
await stopping;
log.info('stopping: everything stays sealed');
await agent.value.stop();
process.exit(0);
