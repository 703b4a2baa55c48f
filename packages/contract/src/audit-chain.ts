/**
 * @file How the entries of an audit log hang together, so that anybody who has an export can check it. Each entry says the
 * hash of the one before it, and its own hash covers all that it says; docs/audit-log.md has the format in words.
 */
import { z } from "zod";

/** Where a chain begins, and what the first entry says of the one before it. */
export const chainStart: ChainPosition = { number: 0, hash: "0".repeat(64) };

/** An entry as the next one knows it. */
export interface ChainPosition {
  readonly number: number;
  /** 64 hexadecimal digits. */
  readonly hash: string;
}

/** Why an entry can't be what was written. */
export type ChainFault =
  | "not_an_entry"
  | "another_organization"
  | "number_out_of_order"
  | "previous_hash_differs"
  | "hash_differs"
  | "entries_missing"
  | "head_differs";

/** The first place where a chain is broken. */
export interface ChainBreak {
  /** The number that was expected there. */
  readonly number: number;
  readonly fault: ChainFault;
}

/** What a check found. */
export interface ChainReport {
  /** How many entries were good, from the first on. */
  readonly entries: number;
  /** The last good entry. Keep it: a later check that begins here also finds a log that was written anew as a whole. */
  readonly head: ChainPosition;
  readonly broken: ChainBreak | null;
}

/** What the chain is made of. All other fields are hashed as they are, so that a later version's entries can be checked too. */
const link = z.looseObject({
  organization_id: z.string(),
  number: z.int().min(1),
  previous_hash: z.string(),
  hash: z.string(),
});
type Link = z.infer<typeof link>;

/** Hashing is asynchronous in browsers, so it is done for many entries at once. */
const batchSize = 256;

/**
 * JSON with the names of every object sorted by their UTF-16 code units and without spaces, as RFC 8785 has it. Only for
 * text, booleans, null, whole numbers, lists and objects of these: then it is the same in every language.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const sorted = fields.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([name, inner]) => `${JSON.stringify(name)}:${canonicalJson(inner)}`).join(",")}}`;
}

/** The text whose sha256 is an entry's hash: all of the entry but `hash`. */
export const auditEntryText = (entry: object): string => canonicalJson({ ...entry, hash: undefined });

/**
 * Checks entries in order of their numbers, from the beginning or from a position that was kept.
 * @param entries parsed lines of an export; anything that is no entry is a break.
 * @param options `from`: the entry before the first; default: the chain's start. `until`: what the last must be, if known:
 *   else entries that were cut off the end are not missed.
 */
export async function verifyAuditLog(
  entries: Iterable<unknown> | AsyncIterable<unknown>,
  options: { readonly from?: ChainPosition; readonly until?: ChainPosition } = {},
): Promise<ChainReport> {
  const { from = chainStart, until } = options;
  const walk: Walk = { head: from, organization: undefined };
  const report = (broken: ChainFault | null): ChainReport => ({
    entries: walk.head.number - from.number,
    head: walk.head,
    broken: broken === null ? null : { number: walk.head.number + 1, fault: broken },
  });
  let batch: unknown[] = [];
  for await (const entry of entries) {
    if (batch.push(entry) < batchSize) continue;
    const fault = await advance(walk, batch);
    if (fault !== null) return report(fault);
    batch = [];
  }
  const fault = await advance(walk, batch);
  if (fault !== null) return report(fault);
  if (until !== undefined && walk.head.number < until.number) return report("entries_missing");
  return report(until !== undefined && walk.head.hash !== until.hash ? "head_differs" : null);
}

interface Walk {
  head: ChainPosition;
  organization: string | undefined;
}

/** Moves to the last entry of a batch; at a fault, to the entry before it. */
async function advance(walk: Walk, batch: readonly unknown[]): Promise<ChainFault | null> {
  const parsed = batch.map((entry) => link.safeParse(entry).data);
  const hashes = await Promise.all(parsed.map((entry) => (entry === undefined ? "" : hashOf(entry))));
  for (const [index, entry] of parsed.entries()) {
    const fault = faultOf(walk, entry, hashes[index]);
    if (fault !== null || entry === undefined) return fault;
    walk.organization = entry.organization_id;
    walk.head = { number: entry.number, hash: entry.hash };
  }
  return null;
}

function faultOf(walk: Walk, entry: Link | undefined, hash: string | undefined): ChainFault | null {
  if (entry === undefined) return "not_an_entry";
  if (walk.organization !== undefined && entry.organization_id !== walk.organization) return "another_organization";
  if (entry.number !== walk.head.number + 1) return "number_out_of_order";
  if (entry.previous_hash !== walk.head.hash) return "previous_hash_differs";
  return entry.hash === hash ? null : "hash_differs";
}

/** "": it can't be written as canonical JSON, because it nests deeper than the stack. */
async function hashOf(entry: Link): Promise<string> {
  let text: string;
  try {
    text = auditEntryText(entry);
  } catch (error) {
    if (error instanceof RangeError) return "";
    throw error;
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
