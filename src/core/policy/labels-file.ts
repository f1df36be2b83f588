/**
 * `labels.yaml`: the labels of a set, lowest first.
 *
 * Layer: core. Spec: docs/spec/policy-set-v1.md, section 1. The order is the level.
 */
import { z } from 'zod';
import { Name, Text } from './names.js';

const LabelEntry = z.strictObject({
  name: Name,
  title: Text,
  personal: z.boolean().default(false),
  sensitivePersonal: z.boolean().default(false),
  /** An open waits until its record is durable. */
  barrier: z.boolean().default(false),
  /** A look at the sealed view by an outsider is recorded too. */
  recordSealedOpens: z.boolean().default(false),
});

export const LabelsFile = z.strictObject({
  labels: z.array(LabelEntry).min(1, 'needs at least one label').max(32, 'takes at most 32 labels'),
});
export type LabelsFile = z.infer<typeof LabelsFile>;

/** `level` is the place in the file, from 0. */
export interface Label extends z.infer<typeof LabelEntry> {
  readonly level: number;
}

/** The labels with their levels. */
export function levelled(file: LabelsFile): readonly Label[] {
  return file.labels.map((entry, level) => ({ ...entry, level }));
}
