/**
 * The record at a boundary: checked at run time, strict about unknown members.
 *
 * Layer: contracts. Version 1 (2026-11-22). Spec: docs/spec/record-v1.md.
 * The types are core's; the assignments at the end keep schema and types from drifting apart.
 */
import { z } from 'zod';
import {
  CLOCK_SOURCES,
  OPERATIONS,
  OUTCOMES,
  RECORD_KINDS,
  RECORD_VERSION,
  type JsonObject,
  type RecordEvent,
  type TrailRecord,
} from '../core/records/record.js';

const hex = (digits: number): z.ZodString =>
  z.string().regex(new RegExp(`^[0-9a-f]{${String(digits)}}$`));
const name = z.string().min(1).max(256);
const path = z.string().min(1).max(4096);
const count = z.number().int().nonnegative();

/** Free members of a record. At most 16 KiB as text. */
export const RecordDetails = z
  .record(z.string(), z.json())
  .refine((value) => JSON.stringify(value).length <= 16_384, 'details are longer than 16 KiB');

const eventShape = {
  kind: z.enum(RECORD_KINDS),
  operation: z.enum(OPERATIONS).optional(),
  user: z.strictObject({ uid: count, name: name.optional() }).optional(),
  session: name.optional(),
  application: z
    .strictObject({
      id: name.optional(),
      path: path.optional(),
      digest: hex(64).optional(),
      pid: count.optional(),
    })
    .optional(),
  object: z
    .strictObject({
      fileId: hex(32).optional(),
      path: path.optional(),
      label: name.optional(),
      area: name.optional(),
      sizeBytes: count.optional(),
    })
    .optional(),
  channel: name.optional(),
  destination: path.optional(),
  decision: z
    .strictObject({
      verdict: z.enum(['allow', 'deny', 'ask']),
      obligations: z.array(name).max(64),
      ruleIds: z.array(name).max(256),
      policyVersion: name.optional(),
    })
    .optional(),
  outcome: z.enum(OUTCOMES).optional(),
  details: RecordDetails.optional(),
};

/** What a component may hand in to be recorded. */
export const RecordEventSchema = z
  .strictObject(eventShape)
  .refine(
    ({ kind, operation }) => (kind === 'operation') === (operation !== undefined),
    'a record of kind "operation", and no other, names an operation',
  );

/** A whole record, as in a trail or an export. */
export const TrailRecordSchema = z.strictObject({
  ...eventShape,
  v: z.literal(RECORD_VERSION),
  seq: z.number().int().positive(),
  id: z.uuidv7(),
  device: hex(32),
  time: z.strictObject({
    wallMs: count,
    source: z.enum(CLOCK_SOURCES),
    offsetMs: z.number().int().optional(),
    utcOffsetMinutes: z.number().int().min(-1440).max(1440),
    monotonicNs: z.string().regex(/^(0|[1-9][0-9]{0,19})$/),
    bootId: name,
  }),
});

/** zod says `| undefined` of an optional member; the wire and core do without. */
type Exact<T> = T extends readonly (infer Item)[]
  ? readonly Exact<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]: Exact<Exclude<T[Name], undefined>> }
    : T;
type Same<A, B> = A extends B ? (B extends A ? true : never) : never;
type WithoutDetails<T> = Omit<T, 'details'>;

type AllTrue<T extends readonly true[]> = T;

/** Does not compile when the schemas and core's types drift apart. */
export type SchemaAgreesWithCore = AllTrue<
  [
    Same<WithoutDetails<Exact<z.infer<typeof RecordEventSchema>>>, WithoutDetails<RecordEvent>>,
    Same<WithoutDetails<Exact<z.infer<typeof TrailRecordSchema>>>, WithoutDetails<TrailRecord>>,
    z.infer<typeof RecordDetails> extends JsonObject ? true : never,
  ]
>;
