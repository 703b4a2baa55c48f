/** @file Counting: an event and the meters of its type in, records of the ledger out. Pure. */
import type { KeyId } from "@gristmill/contract";
import type { UsageRecord } from "../metering/index.ts";
import type { CheckedEvent, Problem } from "./cloud-event.ts";
import type { Meter } from "./meter.ts";
import { valueAt } from "./pointer.ts";
import { exactQuantity } from "./quantity.ts";

/** Dimension under which a unique count keeps what it counts; no declared dimension can have this name. */
export const uniqueValue = "$value";

/** Between an event's id and a meter's name in the ids of its further records; no id of an event can hold it. */
export const separator = "\u001f";

/** Longest text of a dimension. */
const dimensionLength = 512;

/** The ledger's id of an event's record: that of the first meter is the event's own, so that an event is known by it. */
export const recordId = (eventId: string, meter: string | null): string =>
  meter === null ? eventId : `${eventId}${separator}${meter}`;

/** The event's id of which a record tells. */
export const eventIdOf = (id: string): string => id.split(separator)[0] ?? id;

/**
 * What an event counts: one record for each meter of its type, or what is wrong with it. All or nothing, so that no meter
 * goes without the other.
 * @param meters of the event's type, oldest first.
 */
export function countEvent(
  event: CheckedEvent,
  meters: readonly Meter[],
  keyId: KeyId | null,
): readonly UsageRecord[] | Problem {
  if (meters.length === 0)
    return { code: "meter.unknown", reason: `type: no meter of this project counts "${event.type}"` };
  const records: UsageRecord[] = [];
  for (const meter of meters) {
    const counted = countedBy(event, meter);
    if ("code" in counted) return counted;
    const { values, problem } = dimensionsOf(event, meter);
    if (problem !== undefined) return problem;
    const isFirst = records.length === 0;
    records.push({
      id: recordId(event.id, isFirst ? null : meter.name),
      source: event.source,
      meter: meter.name,
      quantity: counted.quantity,
      time: event.time,
      admittedAt: event.time,
      requestId: null,
      keyId,
      dimensions: { ...values, ...counted.dimensions },
      rollUpBy: [...Object.keys(meter.dimensions), ...Object.keys(counted.dimensions)],
      ...(isFirst ? { original: event.text } : {}),
    });
  }
  return records;
}

function countedBy(
  event: CheckedEvent,
  { name, aggregation, valueProperty }: Meter,
): { readonly quantity: string; readonly dimensions: Readonly<Record<string, string>> } | Problem {
  if (aggregation === "count" || valueProperty === null) return { quantity: "1", dimensions: {} };
  const value = valueAt(event, valueProperty);
  if (aggregation === "unique_count") {
    const unique = dimensionText(value);
    if (unique === undefined || unique === null || unique === "")
      return invalidValue(
        name,
        valueProperty,
        `text of 1 to ${dimensionLength} characters, a number or a truth value`,
        value,
      );
    return { quantity: "1", dimensions: { [uniqueValue]: unique } };
  }
  const quantity = exactQuantity(value);
  if (quantity === undefined)
    return invalidValue(name, valueProperty, "a decimal number from 0 with at most 18 digits before the point", value);
  return { quantity, dimensions: {} };
}

function dimensionsOf(
  event: CheckedEvent,
  meter: Meter,
): { readonly values: Readonly<Record<string, string>>; readonly problem?: Problem } {
  const values: Record<string, string> = {};
  for (const [name, pointer] of Object.entries(meter.dimensions)) {
    const value = dimensionText(valueAt(event, pointer));
    if (value === undefined)
      return {
        values,
        problem: {
          code: "dimension.invalid",
          reason: `${pointer}: meter ${meter.name} expected text of at most ${dimensionLength} characters, a number or a truth value for "${name}"`,
        },
      };
    if (value !== null) values[name] = value;
  }
  return { values };
}

/** null: there is none; undefined: none that can be a dimension. */
function dimensionText(value: unknown): string | null | undefined {
  if (value === undefined || value === null) return null;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" && value.length <= dimensionLength ? value : undefined;
}

const invalidValue = (meter: string, pointer: string, expected: string, received: unknown): Problem => ({
  code: "value.invalid",
  reason: `${pointer}: meter ${meter} expected ${expected}, received ${(JSON.stringify(received) ?? "nothing").slice(0, 100)}`,
});
