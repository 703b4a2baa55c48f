/** @file What may enter the ledger: each record is checked alone, so that a bad one never sinks the others of its group. */
import { AppError, meters } from "@gristmill/contract";
import { type Claim, ownSource, type UsageRecord } from "./ledger.ts";

/** Bounds of one call and one record. */
export const recordLimits = {
  recordsPerCall: 1000,
  idLength: 320,
  sourceLength: 255,
  meterLength: 64,
  dimensions: 16,
  dimensionNameLength: 64,
  dimensionValueLength: 512,
} as const;

/** What may be written: what settles a claim is above zero, what is recorded beside may be a gauge at zero or a correction. */
export type Signs = "use" | "any";

/** Nine digits after the point count nanoseconds, and with a price's eleven make amounts of at most twenty. */
const quantityForm = /^-?\d{1,18}(\.\d{1,9})?$/;
const earliest = Date.UTC(2020, 0, 1);
const latest = Date.UTC(2100, 0, 1);

/**
 * Refuses what the ledger cannot hold: that is a fault in the caller's code, so the message is for its author.
 * @throws AppError `internal` naming the record, the field, what was expected and what was received.
 */
export function checkRecords(records: readonly UsageRecord[], signs: Signs): void {
  if (records.length > recordLimits.recordsPerCall)
    throw fault("a call", `at most ${recordLimits.recordsPerCall} records`, records.length);
  for (const record of records) checkRecord(record, signs);
}

/** Checks a claim's estimates; zero is allowed, as when the amount is known only afterwards. */
export function checkEstimates(claim: Claim): void {
  for (const { meter, quantity } of claim.estimates) {
    checkOwnMeter(claim.id, meter);
    checkQuantity(claim.id, quantity, "use");
  }
}

function checkRecord(record: UsageRecord, signs: Signs): void {
  if (!isText(record.id, 1, recordLimits.idLength))
    throw fault("a record", `an id of 1 to ${recordLimits.idLength} characters`, record.id);
  if (record.source === undefined) checkOwnMeter(record.id, record.meter);
  else checkForeign(record.id, record.source, record.meter);
  checkQuantity(record.id, record.quantity, signs);
  if (signs === "use" && /^[0.]*$/.test(String(record.quantity)))
    throw fault(record.id, "a quantity above zero", record.quantity);
  for (const time of [record.time, record.admittedAt])
    if (!(time.getTime() >= earliest && time.getTime() < latest))
      throw fault(record.id, "a time in the years 2020 to 2099", String(time));
  checkDimensions(record);
}

function checkOwnMeter(where: string, meter: string): void {
  if (!Object.hasOwn(meters, meter)) throw fault(where, `a meter, one of ${Object.keys(meters).join(", ")}`, meter);
}

/** Whether a source may be taken for ours, and which meters there are, is decided by who takes others' events in. */
function checkForeign(where: string, source: string, meter: string): void {
  if (!isText(source, 1, recordLimits.sourceLength) || source === ownSource)
    throw fault(where, `a source of 1 to ${recordLimits.sourceLength} characters that is not ours`, source);
  if (!isText(meter, 1, recordLimits.meterLength))
    throw fault(where, `a meter of 1 to ${recordLimits.meterLength} characters`, meter);
}

function checkQuantity(where: string, quantity: string | bigint, signs: Signs): void {
  const text = String(quantity);
  if (!quantityForm.test(text) || (signs === "use" && text.startsWith("-")))
    throw fault(where, "a quantity of at most 18 digits before and 9 after the point", quantity);
}

function checkDimensions({ id, dimensions }: UsageRecord): void {
  const entries = Object.entries(dimensions);
  if (entries.length > recordLimits.dimensions)
    throw fault(id, `at most ${recordLimits.dimensions} dimensions`, entries.length);
  for (const [name, value] of entries) {
    if (!isText(name, 1, recordLimits.dimensionNameLength))
      throw fault(id, `names of dimensions of 1 to ${recordLimits.dimensionNameLength} characters`, name);
    if (!isText(value, 0, recordLimits.dimensionValueLength))
      throw fault(id, `values of dimensions of at most ${recordLimits.dimensionValueLength} characters`, value);
  }
}

/** PostgreSQL holds neither NUL nor half of a surrogate pair in text. */
const isText = (value: unknown, shortest: number, longest: number): boolean =>
  typeof value === "string" &&
  value.length >= shortest &&
  value.length <= longest &&
  !value.includes("\0") &&
  value.isWellFormed();

const fault = (where: string, expected: string, received: unknown): AppError =>
  new AppError("internal", `ledger: ${where}: expected ${expected}, received ${String(received).slice(0, 200)}`);
