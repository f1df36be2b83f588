/**
 * What the trail's writer and its worker thread say to each other.
 *
 * Layer: agent, types alone. Same process, same build: no schema, no version.
 */
import type { ErrorCode } from '../../core/errors/catalogue.js';
import type { ChainHead } from '../../core/records/chain.js';
import type { Checkpoint } from '../../core/records/checkpoint.js';
import type { TrailEnd } from './trail-store.js';

/** How a worker is set up. */
export interface TrailWorkerSetup {
  readonly path: string;
  readonly device: string;
  /** Sequence of the head file's checkpoint: the worker looks up what the trail has there. */
  readonly anchorSeq?: number;
}

export type TrailRequest =
  /** `text`: two lines a record, before and after its sequence. Refused until `resume` after a failure. */
  | { readonly type: 'append'; readonly batch: number; readonly text: string }
  | { readonly type: 'resume' }
  | { readonly type: 'checkpoint'; readonly checkpoint: Checkpoint }
  | { readonly type: 'close' };

export type TrailReply =
  | { readonly type: 'ready'; readonly end: TrailEnd }
  | { readonly type: 'not-opened'; readonly code: ErrorCode; readonly detail: string }
  | { readonly type: 'appended'; readonly batch: number; readonly head: ChainHead }
  | { readonly type: 'failed'; readonly batch: number; readonly code: ErrorCode }
  | { readonly type: 'checkpointed'; readonly checkpoint: Checkpoint; readonly stored: boolean }
  | { readonly type: 'closed' };

/** Where requests go: a worker thread, or (in tests) the same thread. */
export interface TrailBackend {
  post(request: TrailRequest): void;
  /** A later call replaces the listeners. `onGone` tells of an end that nobody asked for. */
  listen(onReply: (reply: TrailReply) => void, onGone: (reason: string) => void): void;
  /** Ends it at once; idempotent. */
  terminate(): Promise<void>;
}

export type OpenTrailBackend = (setup: TrailWorkerSetup) => TrailBackend;
