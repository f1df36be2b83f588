/**
 * Asks policy about one act of one person, with the circumstances filled in.
 *
 * Layer: agent. Total, as `decide` is: there is always an answer, and no policy is a deny.
 * Not here: what follows from a decision; opens by sealfs (its table is compiled from the same set).
 */
import { userFacts } from '../../core/policy/users-file.js';
import { decide } from '../../core/policy/decide.js';
import type { Decision } from '../../core/policy/decision.js';
import type { PolicySet } from '../../core/policy/policy-set.js';
import type { DestinationFacts, FileFacts, Operation } from '../../core/policy/vocabulary.js';
import type { RecordDecision } from '../../core/records/record.js';
import { SlidingWindow } from './sliding-window.js';

/** One act, as the part that is about to do it sees it. */
export interface Act {
  readonly uid: number;
  readonly userName: string;
  readonly operation: Operation;
  readonly application: string | null;
  readonly file: FileFacts | null;
  readonly destination: DestinationFacts | null;
  readonly sizeBytes: number;
  readonly justified: boolean;
}

export class DecisionService {
  private readonly currentSet: () => PolicySet;
  private readonly deviceId: string;
  private readonly nowMs: () => number;
  private readonly window = new SlidingWindow();

  constructor(currentSet: () => PolicySet, deviceId: string, nowMs: () => number = Date.now) {
    this.currentSet = currentSet;
    this.deviceId = deviceId;
    this.nowMs = nowMs;
  }

  /** Decides, and counts the act when it is allowed. */
  decide(act: Act): Decision {
    const set = this.currentSet();
    const user = userFacts(set.users, act.userName);
    const now = new Date(this.nowMs());
    const totals = this.window.withOneMore(act.uid, act.operation, act.sizeBytes, now.getTime());
    const decision = decide(set, {
      operation: act.operation,
      user,
      device: { id: this.deviceId, area: user.area, compliant: true },
      application: act.application,
      file: act.file,
      destination: act.destination,
      toLabel: null,
      situation: {
        hour: now.getHours(),
        weekday: now.getDay() === 0 ? 7 : now.getDay(),
        offline: true,
        justified: act.justified,
        ...totals,
        people: 0,
        findings: [],
        session: '',
      },
      approvals: [],
    });
    if (decision.verdict === 'allow') {
      this.window.add(act.uid, act.operation, act.sizeBytes, now.getTime());
    }
    return decision;
  }
}

/** A decision as a record keeps it. */
export function decisionForRecord(decision: Decision): RecordDecision {
  return {
    verdict: decision.verdict,
    obligations: decision.obligations,
    ruleIds: decision.ruleIds,
    policyVersion: decision.policyVersion,
  };
}
