/** @file `GET /v1/organization/costs`: what an organization's usage cost, in OpenAI's shape. */
import {
  type KeyId,
  meters,
  type OpenaiCostsQuery,
  type OpenaiCostsResult,
  openaiCostsQuery,
  openaiCostsResult,
  openaiUsagePage,
} from "@gristmill/contract";
import Big from "big.js";
import { platformCurrency, type RatedRow, ratedUsage } from "../../billing/index.ts";
import { type Caller, type Route, route } from "../../http/index.ts";
import { bucketStart } from "./buckets.ts";
import { jsonNumber } from "./json-number.ts";
import { listOf, type PageQuestion, pageAnswer, pageQuestion, type UsageRouteParts } from "./question.ts";

/** Buckets in a page at most: of a day each. */
const maxLimit = 180;

/** How OpenAI names our units; no other has a name there. */
const units: Readonly<Record<string, string>> = {
  token: "tokens",
  second: "duration_seconds",
  image: "images",
  character: "characters",
};

/** The costs' one route. */
export const costsRoutes = (parts: UsageRouteParts): readonly Route[] => [
  route({
    method: "GET",
    path: "/v1/organization/costs",
    summary: "Costs of the organization",
    tag: "OpenAI: organization",
    surface: "openai",
    access: { scope: "organization:usage" },
    charge: { free: "looking at costs is not use" },
    query: openaiCostsQuery,
    response: openaiUsagePage(openaiCostsResult),
    handler: async ({ caller, query }) => ({ body: await costsPage(parts, caller, query) }),
  }),
];

async function costsPage(parts: UsageRouteParts, caller: Caller, query: OpenaiCostsQuery): Promise<object> {
  const question = await pageQuestion(parts, caller, query, maxLimit);
  const rows = await readRows(parts, question, listOf(query, "api_key_ids") as readonly KeyId[] | undefined);
  const inBuckets = Map.groupBy(rows, (row) => bucketStart(row.windowStart, "day"));
  return pageAnswer(question, (bucket) => resultsOf(inBuckets.get(bucketStart(bucket.from, "day")) ?? [], question));
}

async function readRows(
  { db }: UsageRouteParts,
  { buckets, projectIds }: PageQuestion,
  keyIds: readonly KeyId[] | undefined,
): Promise<readonly RatedRow[]> {
  const from = buckets[0]?.from;
  const to = buckets.at(-1)?.to;
  if (from === undefined || to === undefined || projectIds.length === 0) return [];
  const { rows } = await ratedUsage(db, {
    from,
    to,
    projectIds,
    ...(keyIds === undefined ? {} : { keyIds }),
    window: "day",
    groups: ["project", "key"],
    meter: null,
  });
  return rows;
}

/** One result for each group that used anything. A line item is a meter. */
function resultsOf(rows: readonly RatedRow[], { groups }: PageQuestion): readonly OpenaiCostsResult[] {
  const named = (group: string, value: string | null | undefined): string | null =>
    groups.includes(group) ? (value ?? null) : null;
  const results = Map.groupBy(rows, ({ meter, group: [project, key] }) =>
    JSON.stringify([named("project_id", project), named("line_item", meter), named("api_key_id", key)]),
  );
  return [...results].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, together]) => resultOf(together, named));
}

function resultOf(
  rows: readonly RatedRow[],
  named: (group: string, value: string | null | undefined) => string | null,
): OpenaiCostsResult {
  const [first] = rows;
  const lineItem = named("line_item", first?.meter);
  const priced = rows.filter(({ priceIds }) => priceIds.length > 0);
  const amount = priced.reduce((sum, row) => sum.plus(row.pricedAmount), new Big(0));
  const quantity = rows.reduce((sum, row) => sum.plus(row.quantity), new Big(0));
  return {
    object: "organization.costs.result",
    ...(priced.length === 0
      ? {}
      : { amount: { value: jsonNumber(amount), currency: platformCurrency.code.toLowerCase() } }),
    line_item: lineItem,
    project_id: named("project_id", first?.group[0]),
    api_key_id: named("api_key_id", first?.group[1]),
    quantity: lineItem === null ? null : jsonNumber(quantity),
    quantity_unit: lineItem === null ? null : (units[unitOf(lineItem)] ?? null),
  };
}

const unitOf = (meter: string): string =>
  Object.hasOwn(meters, meter) ? meters[meter as keyof typeof meters].unit : "";
