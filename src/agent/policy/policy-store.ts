/**
 * The policy set in force, and its change while the agent runs.
 *
 * Layer: agent. A new set is read and checked completely before it takes the place of the old one
 * in a single assignment; on any error the old set stays and the errors are told. Writes nothing.
 */
import { watch, type FSWatcher } from 'chokidar';
import { EventEmitter } from 'node:events';
import { fail, type AppError, type Result } from '../../core/errors/result.js';
import type { PolicySet } from '../../core/policy/policy-set.js';
import type { PolicyProblem } from '../../core/policy/problem.js';
import type { CheckedSet } from '../../core/policy/read-policy-set.js';
import { loadSet, type LoadOptions } from './load-set.js';

/** An editor writes several files, and each in several steps: wait until it has been quiet. */
const QUIET_MS = 200;

interface StoreEvents {
  /** A set with another version is in force. */
  changed: [set: PolicySet, previous: PolicySet | null];
  /** A set was refused; the one before stays in force. */
  rejected: [error: AppError];
}

export class PolicyStore extends EventEmitter<StoreEvents> {
  #current: PolicySet | null = null;
  #warnings: readonly PolicyProblem[] = [];
  #rejected: AppError | null = null;
  #directory: string | null = null;
  #options: LoadOptions = { allowLab: false };
  #watcher: FSWatcher | null = null;
  #timer: NodeJS.Timeout | null = null;
  #reloading: Promise<unknown> = Promise.resolve();

  /** The set in force; `null` until the first one has been loaded. */
  get current(): PolicySet | null {
    return this.#current;
  }

  /** What a person should look at in the set in force. */
  get warnings(): readonly PolicyProblem[] {
    return this.#warnings;
  }

  /** Why the newest contents of the directory are not in force; `null` when they are. */
  get rejected(): AppError | null {
    return this.#rejected;
  }

  /** Loads the set in `directory` and makes it the one that `reload` and `watch` mean. */
  async load(directory: string, options: LoadOptions): Promise<Result<CheckedSet>> {
    this.#directory = directory;
    this.#options = options;
    return this.reload();
  }

  /** Reads the directory again; one reload at a time, in order. `E_POLICY_NONE` before `load`. */
  async reload(): Promise<Result<CheckedSet>> {
    const turn = this.#reloading.then(() => this.#reloadNow());
    this.#reloading = turn;
    return turn;
  }

  async #reloadNow(): Promise<Result<CheckedSet>> {
    if (this.#directory === null) return fail('E_POLICY_NONE', 'no directory was given');
    const loaded = await loadSet(this.#directory, this.#options);
    if (loaded.ok) this.#take(loaded.value);
    else {
      this.#rejected = loaded.error;
      this.emit('rejected', loaded.error);
    }
    return loaded;
  }

  #take({ set, warnings }: CheckedSet): void {
    const previous = this.#current;
    this.#warnings = warnings;
    this.#rejected = null;
    if (previous?.version === set.version) return;
    this.#current = set;
    this.emit('changed', set, previous);
  }

  /** Follows changes of the directory until `close`. Resolves when changes are being seen. */
  async watch(): Promise<void> {
    if (this.#directory === null || this.#watcher !== null) return;
    const watcher = watch(this.#directory, { ignoreInitial: true, depth: 0 });
    this.#watcher = watcher;
    watcher.on('all', () => {
      this.#soon();
    });
    // Without a watcher the set in force stays; `reload` still works.
    watcher.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      watcher.once('ready', () => {
        resolve();
      });
    });
  }

  #soon(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.reload();
    }, QUIET_MS);
  }

  /** Stops watching; the set in force stays. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#watcher?.close();
    this.#watcher = null;
    await this.#reloading;
  }
}
