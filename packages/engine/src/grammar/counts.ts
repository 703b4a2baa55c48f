/** @file Keywords of JSON Schema that count. */
import { EngineRequestError } from "../errors.ts";
import type { PlainSchema } from "./plain-schema.ts";

/** A keyword that counts. @throws EngineRequestError unless it is a whole number from 0 on. */
export function countOf(schema: PlainSchema, key: string, field: string): number | undefined {
  const value = schema[key];
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new EngineRequestError(
    `${field}.${key}`,
    `expected a whole number from 0 on, received ${JSON.stringify(value)}`,
  );
}
