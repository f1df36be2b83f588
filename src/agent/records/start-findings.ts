/**
 * What the trail's end and the head file say about the time since the last record.
 *
 * Layer: agent. Pure. Each finding becomes a gap record before `agent-start`.
 * Spec: docs/spec/record-v1.md, section 8 ("Gaps").
 */
import {
  checkpointMessage,
  type Checkpoint,
  type VerifySignature,
} from '../../core/records/checkpoint.js';
import type { GapCause, JsonObject } from '../../core/records/record.js';
import { isAgentStop, readClaims } from '../../core/records/claims.js';
import type { TrailEnd } from './trail-store.js';

export interface GapFinding {
  readonly cause: GapCause;
  readonly details: JsonObject;
}

export interface StartMoment {
  readonly wallMs: number;
  readonly bootId: string;
}

/** In the order in which they are to be recorded; empty for a new trail and after a clean stop. */
export function startFindings(
  end: TrailEnd,
  anchor: Checkpoint | 'absent' | 'damaged',
  now: StartMoment,
  verifySignature: VerifySignature,
): readonly GapFinding[] {
  const findings: GapFinding[] = [];
  const reason = restoreReason(end, anchor, verifySignature);
  if (reason !== undefined) {
    const signedSeq = typeof anchor === 'object' ? { signedSeq: anchor.seq } : {};
    findings.push({ cause: 'restore', details: { reason, trailSeq: end.head.seq, ...signedSeq } });
  }
  if (end.lastBody === undefined) return findings;
  const last = readClaims(end.lastBody);
  const since = { sinceSeq: end.head.seq, ...(last === undefined ? {} : { sinceMs: last.wallMs }) };
  if (last === undefined || !isAgentStop(last)) {
    const rebooted = last?.bootId !== now.bootId;
    findings.push({ cause: 'unclean-stop', details: { ...since, rebooted } });
  }
  if (last !== undefined && now.wallMs < last.wallMs) {
    findings.push({
      cause: 'clock-backward',
      details: { ...since, byMs: last.wallMs - now.wallMs },
    });
  }
  return findings;
}

function restoreReason(
  end: TrailEnd,
  anchor: Checkpoint | 'absent' | 'damaged',
  verifySignature: VerifySignature,
): string | undefined {
  if (anchor === 'damaged') return 'head-file-damaged';
  // A crash between the first record and the first head file leaves a short trail without one.
  if (anchor === 'absent') return end.head.seq > 8 ? 'head-file-missing' : undefined;
  if (!verifySignature(anchor.publicKey, checkpointMessage(anchor), anchor.signature)) {
    return 'head-file-forged';
  }
  if (anchor.seq > end.head.seq) return 'trail-shorter-than-signed';
  return end.hashAtAnchor === anchor.hash ? undefined : 'trail-differs-from-signed';
}
