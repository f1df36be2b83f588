/**
 * sessiond as a child of the agent: started with a socket pair, spoken with in typed messages.
 *
 * Layer: native-bridge. Spec: docs/spec/sessiond-v1.md.
 * Lifetime: when the agent goes, sessiond stays for the sessions that it has and takes no more;
 *   a new agent starts a new one on the same path.
 * Not here: who may have which session (`agent/sessions`), when to start it again.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import {
  SessiondToAgent,
  type AgentToSessiond,
  type SessionCreated,
  type SessionEnded,
  type SessionGrant,
  type SessionJoin,
  type SessionRefusal,
  type SessionRemounted,
  type SessionRequest,
  type SessiondReady,
} from '../contracts/sessiond.js';
import { fail, succeed, type AppError, type Result } from '../core/errors/result.js';
import { openJsonLines, type JsonLinesConnection } from '../platform/json-lines.js';
import { nativeProgramPath } from './native-programs.js';

export interface SessiondStart {
  /** Where session-clients connect; at most 107 bytes. */
  readonly listenPath: string;
  readonly personal: boolean;
  /** Existing directory through which every user may pass; default: that of `listenPath`. */
  readonly runDirectory?: string;
  readonly maxSessionsPerUser?: number;
  /** sessiond's own log lines. */
  readonly onLogLine?: (line: string) => void;
  readonly program?: string;
}

interface SessiondEvents {
  request: [SessionRequest];
  created: [SessionCreated];
  ended: [SessionEnded];
  remounted: [SessionRemounted];
  /** The process has gone, for whatever reason. Its sessions may go on: see Lifetime. */
  exit: [reason: string];
}

const READY_LIMIT_MS = 10_000;
/** The descriptor under which sessiond finds its end of the socket pair. */
const CONTROL_FD = 3;

export class SessiondProcess extends EventEmitter<SessiondEvents> {
  readonly #child: ChildProcess;
  readonly #connection: JsonLinesConnection;
  #ready: ((outcome: Result<SessiondReady, AppError<'E_SESSIOND_START'>>) => void) | undefined;
  #lastLine = 'no word from sessiond';
  #described: SessiondReady | undefined;

  private constructor(child: ChildProcess, control: Socket) {
    super();
    this.#child = child;
    this.#connection = openJsonLines(control, {
      schema: SessiondToAgent,
      onMessage: (message) => {
        this.#deliver(message);
      },
      onClose: (error) => {
        if (error !== undefined) this.#lastLine = error.detail;
      },
    });
  }

  /** Starts sessiond; `E_SESSIOND_START` with its own last line when it is not ready in time. */
  static async start(
    options: SessiondStart,
  ): Promise<Result<SessiondProcess, AppError<'E_SESSIOND_START'>>> {
    const child = spawn(options.program ?? nativeProgramPath('sessiond'), argumentsFor(options), {
      // 'pipe' is a socket pair with Node, which is what sessiond wants.
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' },
      detached: true,
      cwd: '/',
    });
    const control = child.stdio[CONTROL_FD];
    if (!(control instanceof Socket)) return fail('E_SESSIOND_START', 'no control socket');
    const sessiond = new SessiondProcess(child, control);
    const ready = await sessiond.#untilReady(options);
    return ready.ok ? succeed(sessiond) : ready;
  }

  /** Operating mode, and what is weaker in it; ids are explained in docs/spec/sessiond-v1.md. */
  describe(): { readonly mode: 'service' | 'personal'; readonly weaknesses: readonly string[] } {
    return {
      mode: this.#described?.mode ?? 'service',
      weaknesses: this.#described?.weaknesses ?? [],
    };
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Answers a request with a session of its own. It will be answered by `ended`, always. */
  grant(id: number, session: SessionGrant): void {
    this.#send({ type: 'grant', id, session });
  }

  /** Answers a request by running its program in a session that is there. */
  join(id: number, join: Omit<SessionJoin, 'type' | 'id'>): void {
    this.#send({ type: 'join', id, ...join });
  }

  refuse(id: number, refusal: SessionRefusal): void {
    this.#send({ type: 'refuse', id, ...refusal });
  }

  /** The session is registered with every sealfs: its first instruction may run. */
  go(session: string): void {
    this.#send({ type: 'go', session });
  }

  kill(session: string): void {
    this.#send({ type: 'kill', session });
  }

  /**
   * After `ended`: every sealfs has forgotten the session. Until then sessiond keeps its mount
   * namespace alive, since the kernel gives a number that is free to the next namespace.
   */
  release(session: string): void {
    this.#send({ type: 'release', session });
  }

  /** Replaces the dead mount at `path` inside the session; `remounted` tells how it went. */
  remount(session: string, path: string): void {
    this.#send({ type: 'remount', session, path });
  }

  /** The same inside a session that another sessiond started. */
  remountAdopted(
    session: { readonly id: string; readonly pid: number; readonly mountNamespace: string },
    path: string,
  ): void {
    const { id, pid, mountNamespace } = session;
    this.#send({ type: 'remount', session: id, path, pid, mountNamespace });
  }

  /** Lets go of sessiond: it ends once its sessions have ended. */
  disconnect(): void {
    this.#connection.end();
    this.#child.unref();
  }

  /** Ends sessiond and every session. Resolves when it has gone. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this, 'exit');
    this.#child.kill('SIGTERM');
    await gone;
  }

  #untilReady(
    options: SessiondStart,
  ): Promise<Result<SessiondReady, AppError<'E_SESSIOND_START'>>> {
    this.#follow(options.onLogLine);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#child.kill('SIGKILL');
        this.#ready?.(fail('E_SESSIOND_START', `not ready in time: ${this.#lastLine}`));
      }, READY_LIMIT_MS);
      this.#ready = (outcome) => {
        clearTimeout(timer);
        this.#ready = undefined;
        resolve(outcome);
      };
    });
  }

  #follow(onLogLine: SessiondStart['onLogLine']): void {
    if (this.#child.stderr !== null) {
      createInterface({ input: this.#child.stderr }).on('line', (line) => {
        this.#lastLine = line;
        onLogLine?.(line);
      });
    }
    const gone = (reason: string): void => {
      this.#ready?.(fail('E_SESSIOND_START', reason));
      this.emit('exit', reason);
    };
    this.#child.once('error', (cause) => {
      gone(cause.message);
    });
    this.#child.once('close', () => {
      gone(this.#lastLine);
    });
  }

  #deliver(message: SessiondToAgent): void {
    switch (message.type) {
      case 'ready':
        this.#described = message;
        this.#ready?.(succeed(message));
        return;
      case 'request':
        this.emit('request', message);
        return;
      case 'created':
        this.emit('created', message);
        return;
      case 'ended':
        this.emit('ended', message);
        return;
      case 'remounted':
        this.emit('remounted', message);
    }
  }

  #send(message: AgentToSessiond): void {
    this.#connection.send(message);
  }
}

function argumentsFor(options: SessiondStart): string[] {
  const args = ['--listen', options.listenPath, '--control-fd', String(CONTROL_FD)];
  if (options.personal) args.push('--personal');
  if (options.runDirectory !== undefined) args.push('--run-dir', options.runDirectory);
  if (options.maxSessionsPerUser !== undefined) {
    args.push('--max-sessions', String(options.maxSessionsPerUser));
  }
  return args;
}
