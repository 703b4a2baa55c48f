/** @file Usage as the ledger sums it, each sum with its price: all that rating needs. */
import type { KeyId, ProjectId } from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import { type SumGroup, sumUsage, type UsageSum, type WindowUnit } from "../metering/index.ts";
import type { Ratable, RatableSum } from "./amounts.ts";
import type { PriceBook } from "./price-book.ts";
import { monthOf, type Span } from "./windows.ts";

/** Which usage to rate. */
export interface RatableQuestion extends Span {
  readonly projectIds: readonly ProjectId[];
  /** Only what these keys used; left out: all. */
  readonly keyIds?: readonly KeyId[];
  /** null: each month is one window. */
  readonly window: WindowUnit | null;
  readonly groups: readonly SumGroup[];
  readonly meter: string | null;
  /** Sums at most; one more is answered when there are more. */
  readonly limit: number;
}

/** All that rating needs. A month's sum decides some prices, so windows are months at most and begin with the month. */
export async function readRatable(db: Database, book: PriceBook, question: RatableQuestion): Promise<Ratable> {
  const { projectIds, keyIds, from, to, groups, meter, limit } = question;
  const window = question.window ?? "month";
  const common = { projectIds, meter, limit };
  const sum = async (part: Span & { groups: readonly SumGroup[]; window: WindowUnit; keyIds?: readonly KeyId[] }) =>
    (await sumUsage(db, { ...common, ...part, groups: [...part.groups, "project"] })).map(toRatable);
  const sums = await sum({ from, to, window, groups, ...(keyIds === undefined ? {} : { keyIds }) });
  const tariffOf = (priceId: string) => book.tariffOf(priceId);
  const dependsOnMonth = sums.some(({ priceId }) => priceId !== null && !tariffOf(priceId).isAdditive);
  if (!dependsOnMonth) return { sums, before: [], tariffOf };
  const month = monthOf(from);
  return {
    sums,
    before: month < from ? await sum({ from: month, to: from, window: "month", groups: [] }) : [],
    ...(keyIds === undefined ? {} : { everything: await sum({ from, to, window, groups: [] }) }),
    tariffOf,
  };
}

function toRatable(found: UsageSum): RatableSum {
  return {
    projectId: found.group.at(-1) ?? "",
    windowStart: found.windowStart ?? new Date(0),
    meter: found.meter,
    group: found.group.slice(0, -1),
    priceId: found.priceId,
    events: found.events,
    countedEvents: found.countedEvents,
    quantity: found.quantity,
  };
}
