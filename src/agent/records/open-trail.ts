/**
 * Opens the trail of this device for writing.
 *
 * Layer: agent. Order: database, head file read, gaps that the start finds, `agent-start`, first
 * signed head.
 */
import { verifySignatureHex } from '../../platform/trail-crypto.js';
import { succeed, fail, type Result } from '../../core/errors/result.js';
import type { ClockSource, JsonObject } from '../../core/records/record.js';
import { systemClock, type Clock } from '../../platform/clock.js';
import { silentLogger, type Logger } from '../../platform/logger.js';
import { trailPathIn } from '../../platform/trail-paths.js';
import { CheckpointKeeper, type DeviceSigner } from './checkpoint-keeper.js';
import { DraftMaker } from './draft.js';
import { readHeadFile } from './head-file.js';
import { startFindings } from './start-findings.js';
import type {
  OpenTrailBackend,
  TrailBackend,
  TrailReply,
  TrailWorkerSetup,
} from './trail-protocol.js';
import { TrailWriter, type TrailAlarm, type TrailLimits } from './trail-writer.js';
import { openWorkerBackend } from './worker-backend.js';

export interface TrailOptions {
  /** Exists, and is locked by this process (`acquireStateLock`). */
  readonly stateDir: string;
  readonly signer: DeviceSigner;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly clockSource?: ClockSource;
  /** Goes into `agent-start`: version, mode and the like. */
  readonly startDetails?: JsonObject;
  /** Storing fails, or works again. Called in the agent's loop; must not throw. */
  readonly onAlarm?: (alarm: TrailAlarm) => void;
  readonly limits?: Partial<TrailLimits>;
  readonly checkpointEveryRecords?: number;
  readonly checkpointEveryMs?: number;
  /** For tests: another backend than the worker thread. */
  readonly openBackend?: OpenTrailBackend;
}

const DEFAULT_LIMITS: TrailLimits = { maxQueued: 50_000, maxBatch: 4096, retryMs: 500 };

/**
 * Opens (creates) the trail and records the start.
 *
 * @returns a writer, also when the start itself could not be stored yet (an alarm says so).
 *   `E_TRAIL_FORMAT`, `E_TRAIL_VERSION`, `E_TRAIL_BROKEN`, `E_DISK_FULL`, `E_READ_ONLY`,
 *   `E_BUSY` or `E_IO` when the database cannot be used at all.
 */
export async function openTrail(options: TrailOptions): Promise<Result<TrailWriter>> {
  const clock = options.clock ?? systemClock();
  const logger = options.logger ?? silentLogger;
  const { signer } = options;
  const path = trailPathIn(options.stateDir);
  const anchor = await readHeadFile(path);
  const setup: TrailWorkerSetup = {
    path,
    device: signer.device,
    ...(typeof anchor === 'object' ? { anchorSeq: anchor.seq } : {}),
  };
  const open = options.openBackend ?? openWorkerBackend;
  const backend = open(setup);
  const first = await firstReply(backend);
  if (first.type !== 'ready') {
    await backend.terminate();
    return first.type === 'not-opened'
      ? fail(first.code, first.detail)
      : fail('E_IO', `the trail's thread answered ${first.type}`);
  }
  const writer = new TrailWriter(
    {
      openBackend: () => open(setup),
      drafts: new DraftMaker(signer.device, clock, options.clockSource ?? 'system'),
      checkpoints: new CheckpointKeeper({
        trailPath: path,
        signer,
        clock,
        logger,
        everyRecords: options.checkpointEveryRecords ?? 1000,
        everyMs: options.checkpointEveryMs ?? 10_000,
      }),
      clock,
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      onAlarm: (alarm) => {
        logger.warn('records', { ...alarm });
        options.onAlarm?.(alarm);
      },
    },
    backend,
    first.end.head,
  );
  const now = { wallMs: clock.wallMs(), bootId: clock.bootId };
  for (const { cause, details } of startFindings(first.end, anchor, now, verifySignatureHex)) {
    logger.warn('the trail has a gap', { cause, ...details });
    writer.declareGap(cause, details);
  }
  const details = { ...options.startDetails, publicKey: signer.publicKey };
  await writer.append({ kind: 'agent-start', outcome: 'done', details });
  await writer.checkpoint();
  return succeed(writer);
}

function firstReply(backend: TrailBackend): Promise<TrailReply> {
  return new Promise((resolve) => {
    backend.listen(resolve, (reason) => {
      resolve({ type: 'not-opened', code: 'E_IO', detail: `the trail's thread ended: ${reason}` });
    });
  });
}
