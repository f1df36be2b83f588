/**
 * `sealway up`: starts the agent in the foreground; Ctrl-C unmounts and leaves everything sealed.
 *
 * Layer: cli. The agent is a program of its own (`dist/agent/main.js`): the CLI may not import it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CommandFailure } from '../agent-client.js';
import type { Context } from '../context.js';
import { defaultStateDirectory } from '../locations.js';

export interface UpOptions {
  readonly protect?: readonly string[];
  readonly label?: string;
  readonly area?: string;
  readonly policy?: string;
  readonly watchedFolder?: boolean;
}

/** Arguments of the agent for what was asked of `sealway up`. */
export function agentArguments(options: UpOptions, givenState: string | undefined): string[] {
  const state = givenState === undefined ? defaultStateDirectory() : resolve(givenState);
  return [
    ...['--state', state],
    ...(options.protect ?? []).flatMap((directory) => ['--protect', resolve(directory)]),
    ...optional('--label', options.label),
    ...optional('--area', options.area),
    ...optional('--policy', options.policy),
    ...(options.watchedFolder === true ? ['--watched-folder'] : []),
  ];
}

function optional(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value];
}

export interface ForegroundAgent {
  /** Resolves when the agent serves; rejects with its last words when it ends before. */
  readonly ready: Promise<void>;
  /** The agent's exit status. */
  readonly exited: Promise<number>;
}

/** Starts the agent as a child whose log goes to our standard error. */
export function startAgent(options: UpOptions, context: Context): ForegroundAgent {
  const main = fileURLToPath(new URL('../../agent/main.js', import.meta.url));
  if (!existsSync(main)) throw CommandFailure.of('E_PROCESS_START', `${main} is not built`);
  const json = context.out.json ? ['--log-json'] : [];
  const child = spawn(
    process.execPath,
    [main, ...agentArguments(options, context.givenState), ...json],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    },
  );
  forwardSignals(child);
  const exited = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
  return { ready: readyOf(child), exited };
}

/** Runs until the agent ends. */
export async function up(context: Context, options: UpOptions): Promise<number> {
  const agent = startAgent(options, context);
  agent.ready.catch(() => undefined); // the exit status tells it
  return agent.exited;
}

function readyOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const channel = child.stdio[3];
    if (channel === null || channel === undefined || !('on' in channel)) {
      reject(new Error('no ready channel'));
      return;
    }
    createInterface({ input: channel as NodeJS.ReadableStream }).once('line', () => {
      resolve();
    });
    child.once('exit', () => {
      reject(
        CommandFailure.of(
          'E_AGENT_AWAY',
          'the agent ended before it was ready; its reason is above',
        ),
      );
    });
  });
}

/** A terminal sends Ctrl-C to the agent as well; hearing it twice changes nothing. */
function forwardSignals(child: ChildProcess): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => child.kill(signal));
  }
}
