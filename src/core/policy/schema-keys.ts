/** The keys that a schema knows at a path, for error texts. Layer: core. */
import { z } from 'zod';

/** The schema under wrappers that change nothing about keys. */
function bare(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional)
    return bare(schema.unwrap());
  if (schema instanceof z.ZodNullable) return bare(schema.unwrap());
  return schema;
}

/** Branches of a union, or the schema itself. */
function branches(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const inner = bare(schema);
  return inner instanceof z.ZodUnion ? inner.options.flatMap(branches) : [inner];
}

function child(schema: z.core.$ZodType, part: PropertyKey): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodArray) return branches(schema.element);
  if (schema instanceof z.ZodRecord) return branches(schema.valueType);
  if (!(schema instanceof z.ZodObject)) return [];
  const shape: Readonly<Record<PropertyKey, z.core.$ZodType | undefined>> = schema.shape;
  const found = shape[part];
  return found === undefined ? [] : branches(found);
}

/** Keys of the object(s) that `schema` has at `path`; empty where there is none. */
export function knownKeys(
  schema: z.core.$ZodType,
  path: readonly PropertyKey[],
): readonly string[] {
  let level = branches(schema);
  for (const part of path) level = level.flatMap((item) => child(item, part));
  const keys = level.flatMap((item) =>
    item instanceof z.ZodObject ? Object.keys(item.shape) : [],
  );
  return [...new Set(keys)];
}
