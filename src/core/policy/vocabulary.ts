/**
 * The words in which policy is asked: operations, and the facts of one request.
 *
 * Layer: core. Types and fixed lists only; no evaluation, no I/O.
 * Spec: docs/spec/policy-set-v1.md, section 2 ("Vocabulary"). Change the spec first.
 * Not here: how facts become Cedar entities (`request-entities.ts`), the answer (`decision.ts`).
 */

/** What a rule may decide. `run` starts an application in a sealed session; the rest act on a file. */
export const OPERATIONS = [
  'run',
  'open',
  'modify',
  'copy',
  'print',
  'capture',
  'export',
  'share',
  'relabel',
  'destroy',
] as const;
export type Operation = (typeof OPERATIONS)[number];

export const LANGUAGES = ['en', 'zh', 'ja'] as const;
export type Language = (typeof LANGUAGES)[number];

/** One text in each language of the product. */
export type LocalizedText = Readonly<Record<Language, string>>;

/** Kinds of places that data may go to. */
export const DESTINATION_KINDS = [
  'printer',
  'recipient',
  'removable',
  'application',
  'path',
] as const;
export type DestinationKind = (typeof DESTINATION_KINDS)[number];

/** The person who asks. `clearance` is the name of the highest label the person is cleared for. */
export interface UserFacts {
  readonly id: string;
  readonly groups: readonly string[];
  readonly area: string;
  readonly roles: readonly string[];
  readonly clearance: string;
}

/** The machine on which it happens. */
export interface DeviceFacts {
  readonly id: string;
  readonly area: string;
  readonly compliant: boolean;
}

/** The file acted on. Level and the personal flags follow from the label; nobody may claim them. */
export interface FileFacts {
  readonly id: string;
  readonly label: string;
  readonly area: string;
  /** User id; `null` where it is not known, as in the verdict table. */
  readonly owner: string | null;
}

/** Where the data would go. `area` and `domain` are empty where they mean nothing. */
export interface DestinationFacts {
  readonly id: string;
  readonly kind: DestinationKind;
  readonly area: string;
  readonly domain: string;
  /** Inside the company's control: an enrolled printer, a known recipient, a registered device. */
  readonly trusted: boolean;
}

/** The circumstances. Counts are whole numbers of the user's sliding window. */
export interface Situation {
  /** Local hour, 0 to 23. */
  readonly hour: number;
  /** 1 = Monday to 7 = Sunday. */
  readonly weekday: number;
  readonly offline: boolean;
  /** The employee has given a reason. */
  readonly justified: boolean;
  /** Files of this operation in the window, this one included. */
  readonly count: number;
  /** Bytes of this operation in the window, this one included. */
  readonly bytes: number;
  /** Distinct people that the detectors found in the content; 0 when none or not looked at. */
  readonly people: number;
  /** Detector ids that found something. */
  readonly findings: readonly string[];
  /** Sealed session id; empty outside a session. */
  readonly session: string;
}

/** One question put to policy. */
export interface PolicyRequest {
  readonly operation: Operation;
  readonly user: UserFacts;
  readonly device: DeviceFacts;
  /** Application id, or `null` where no application acts. Unlisted ids are told to the rules as such. */
  readonly application: string | null;
  /** `null` only for `run`. */
  readonly file: FileFacts | null;
  readonly destination: DestinationFacts | null;
  /** For `relabel`: the label wanted. */
  readonly toLabel: string | null;
  readonly situation: Situation;
  /** What has been approved already, in the words of `@ask` (such as `approver:area`). */
  readonly approvals: readonly string[];
}
