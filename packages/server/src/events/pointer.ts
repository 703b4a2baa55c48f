/** @file Pointers into an event: `$.a.b` of its data, or `subject`. Pure. */
import type { CheckedEvent } from "./cloud-event.ts";

/** The value that a pointer names; undefined: there is none. Reads own fields only, so nothing that JavaScript adds is found. */
export function valueAt(event: Pick<CheckedEvent, "data" | "subject">, pointer: string): unknown {
  if (pointer === "subject") return event.subject;
  let value = event.data;
  for (const name of pointer.split(".").slice(1)) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}
