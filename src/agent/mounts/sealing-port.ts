/** What the folders need from the part that seals files at rest. Layer: agent. Types alone. */
import type { Result } from '../../core/errors/result.js';
import type { ProgressEvent } from '../../contracts/local-api.js';

export interface SealingOutcome {
  readonly sealed: number;
  readonly skipped: number;
}

export interface SealingRequest {
  readonly directory: string;
  readonly label: string;
  readonly area: string;
  readonly report: (event: ProgressEvent) => void;
  readonly signal: AbortSignal;
}

export interface SealingPort {
  /** Seals every regular file that is not sealed yet; resumable, and atomic for each file. */
  readonly seal: (request: SealingRequest) => Promise<Result<SealingOutcome>>;
  /** The way back, for `unprotect --unseal`. */
  readonly unseal: (request: SealingRequest) => Promise<Result<SealingOutcome>>;
  /** Seals files as they appear and settle; resolves to what stops it. */
  readonly watch: (
    request: Omit<SealingRequest, 'report' | 'signal'>,
  ) => Promise<Result<{ readonly close: () => Promise<void> }>>;
}
