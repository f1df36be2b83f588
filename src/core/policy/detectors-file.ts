/**
 * `detectors.yaml`: which detectors look into files, and which label their findings ask for.
 *
 * Layer: core. Spec: docs/spec/policy-set-v1.md, section 1. Single fields collide (a 13-digit
 * waybill is also an EAN and a time in milliseconds), so severity goes by records and people.
 * Not here: the detectors themselves.
 */
import { z } from 'zod';
import { Name } from './names.js';

/** Built-in detectors. A set may only name these and its own patterns. */
export const BUILT_IN_DETECTORS = [
  'face-sheet-record',
  'resident-id',
  'mobile',
  'landline',
  'bank-card',
  'uscc',
  'passport',
  'vehicle-plate',
  'waybill-sf',
  'waybill-yto',
  'waybill-zto',
  'waybill-sto',
  'waybill-yunda',
  'waybill-jd',
  'waybill-jt',
  'waybill-s10',
  'address',
  'person-name',
] as const;

const OwnPattern = z.strictObject({
  id: Name,
  /** RE2 syntax: no look-around, no back-references, linear time. */
  pattern: z.string().min(1).max(1000),
  /** Matches needed before it counts as found. */
  atLeast: z.int().min(1).max(1_000_000).default(1),
});

const Raise = z.strictObject({
  anyOf: z.array(Name).min(1).max(64),
  /** Distinct people in the content needed for this row. */
  people: z.int().min(0).max(1_000_000_000).default(0),
  label: Name,
});

export const DetectorsFile = z.strictObject({
  use: z.array(z.enum(BUILT_IN_DETECTORS)).max(64).default([]),
  patterns: z.array(OwnPattern).max(200).default([]),
  /** Distinct people from which a finding is medium or high; below medium it is low. */
  severity: z
    .strictObject({
      medium: z.int().min(1).default(10),
      high: z.int().min(2).default(100),
    })
    .default({ medium: 10, high: 100 }),
  /** The highest label of all rows that match is asked for; a label is never lowered. */
  raise: z.array(Raise).max(200).default([]),
});
export type DetectorsFile = z.infer<typeof DetectorsFile>;
