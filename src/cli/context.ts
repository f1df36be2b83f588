/** What every command gets: where to write, whom to ask. Layer: cli. */
import { AgentClient } from './agent-client.js';
import { locateAgent } from './locations.js';
import { Output } from './output.js';

/** Options that may stand before or after the command's name. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly state?: string;
}

export interface Context {
  readonly out: Output;
  readonly agent: AgentClient;
  readonly stateDirectory: string;
  /** As given with `--state`; `undefined` when it was not. */
  readonly givenState: string | undefined;
}

export function contextFor(options: GlobalOptions): Context {
  const location = locateAgent(options.state);
  return {
    out: new Output(options.json === true),
    agent: new AgentClient(location.socketPath),
    stateDirectory: location.stateDirectory,
    givenState: options.state,
  };
}
