/** @file What settlements write: each event with its price, its place in the sums by the hour, and what it counts against. Pure. */
import type { OrganizationId, ProjectId } from "@gristmill/contract";
import type { Policy } from "./current-policy.ts";
import { ownSource, rolledUp, type UsageRecord } from "./ledger.ts";
import type { Allowance, Claimant } from "./policy.ts";

/** Events and an ended claim that belong together. */
export interface Settlement {
  readonly projectId: ProjectId;
  /** The claim that ends with it; null: usage that nothing was claimed for. */
  readonly ends: string | null;
  readonly events: readonly UsageRecord[];
}

/** One event, numbered. */
export interface RatedEvent {
  readonly n: number;
  readonly projectId: ProjectId;
  readonly record: UsageRecord;
  readonly priceId: string | null;
  /** Its place among the cells. */
  readonly cell: number;
}

/** What is summed up together: the key of a row of `usage_hour`. */
export interface Cell {
  readonly n: number;
  readonly project_id: ProjectId;
  readonly hour: Date;
  readonly meter: string;
  readonly key_id: string | null;
  readonly price_id: string | null;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** What the database is asked to write. */
export interface SettlementQuestion {
  /** Of the policy that decided. */
  readonly version: string;
  readonly events: readonly RatedEvent[];
  readonly cells: readonly Cell[];
  readonly ended: readonly { readonly id: string; readonly tokens: number }[];
  readonly accruals: readonly { readonly n: number; readonly allowance: Allowance; readonly amount: string }[];
}

/** Meters whose sum is what limits call tokens. */
const tokenMeters: ReadonlySet<string> = new Set([
  "service.input_tokens",
  "service.cached_input_tokens",
  "service.output_tokens",
  "service.reasoning_tokens",
]);

const hourMs = 3_600_000;

/** How many tokens these are, each quantity rounded up. */
export function tokensOf(
  quantities: readonly { readonly meter: string; readonly quantity: string | bigint }[],
): number {
  let tokens = 0;
  // float-ok: whole tokens of one request, for limits
  for (const { meter, quantity } of quantities) if (tokenMeters.has(meter)) tokens += Math.ceil(Number(quantity));
  return tokens;
}

/** Rates settlements by one policy. */
export function askToSettle(
  policy: Policy,
  settlements: readonly Settlement[],
  organizationOf: (projectId: ProjectId) => OrganizationId | undefined,
): SettlementQuestion {
  const events: RatedEvent[] = [];
  const accruals: { n: number; allowance: Allowance; amount: string }[] = [];
  const cells = new Cells();
  for (const { projectId, events: records } of settlements) {
    const organizationId = organizationOf(projectId);
    for (const record of records) {
      const n = events.length + 1;
      // Without an organization there is no such project: the database says so.
      const claimant = organizationId === undefined ? undefined : { organizationId, projectId, keyId: record.keyId };
      const priceId =
        claimant === undefined ? null : rate(policy, claimant, record, (accrual) => accruals.push({ n, ...accrual }));
      events.push({ n, projectId, record, priceId, cell: cells.place(projectId, record, priceId) });
    }
  }
  return {
    version: policy.version,
    events,
    cells: cells.all,
    ended: settlements.flatMap(({ ends, events }) => (ends === null ? [] : [{ id: ends, tokens: tokensOf(events) }])),
    accruals,
  };
}

function rate(
  { prices, rules }: Policy,
  claimant: Claimant,
  record: UsageRecord,
  accrue: (accrual: { readonly allowance: Allowance; readonly amount: string }) => void,
): string | null {
  const cost = prices.costOf(claimant, record, record.admittedAt);
  for (const rule of rules)
    for (const accrual of rule.accruals(claimant, record, cost, record.admittedAt)) accrue(accrual);
  return cost.priceId;
}

/** Which source an event is of. */
export const sourceOf = ({ source }: UsageRecord): string => source ?? ownSource;

/** Each cell once. */
class Cells {
  readonly all: Cell[] = [];
  readonly #places = new Map<string, number>();

  place(
    projectId: ProjectId,
    { time, meter, keyId, dimensions, rollUpBy = [] }: UsageRecord,
    priceId: string | null,
  ): number {
    const hour = Math.floor(time.getTime() / hourMs) * hourMs;
    const kept: Record<string, string> = {};
    let key = `${projectId}\n${hour}\n${meter}\n${keyId}\n${priceId}`;
    for (const name of rollUpBy.length === 0 ? rolledUp : [...new Set([...rolledUp, ...rollUpBy])].toSorted()) {
      const value = dimensions[name];
      if (value === undefined) continue;
      kept[name] = value;
      // With its length: a value may hold anything, the look of another name and value too.
      key += `\n${name}\n${value.length}\n${value}`;
    }
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const n = this.all.length + 1;
    this.#places.set(key, n);
    this.all.push({
      n,
      project_id: projectId,
      hour: new Date(hour),
      meter,
      key_id: keyId,
      price_id: priceId,
      dimensions: kept,
    });
    return n;
  }
}
