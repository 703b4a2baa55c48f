/** @file `GET /v1/organization/usage/*`: what an organization used, in OpenAI's shapes. */
import {
  AppError,
  type KeyId,
  type Meter,
  type OpenaiUsageKind,
  openaiUsagePage,
  openaiUsageQueries,
  openaiUsageResults,
} from "@gristmill/contract";
import Big from "big.js";
import { type Caller, type Route, route } from "../../http/index.ts";
import { type SumGroup, sumUsage, type UsageSum } from "../../metering/index.ts";
import { bucketStart } from "./buckets.ts";
import { jsonInteger } from "./json-number.ts";
import {
  type CommonQuery,
  type ListQueries,
  listOf,
  type PageQuestion,
  pageAnswer,
  pageQuestion,
  type UsageRouteParts,
} from "./question.ts";
import { sourceOf, type UsageKind, usageKinds } from "./usage-kinds.ts";

/** Sums that one page may be made of. */
const maxSums = 50_000;

/** How our sums name what OpenAI groups by. A model's name in `/v1` names a deployment. */
const dimensions = {
  project_id: "project",
  user_id: "user",
  api_key_id: "key",
  model: "deployment",
} as const satisfies Record<string, SumGroup>;

/** Filters by what none of our use has: who asks for one finds nothing. */
const neverFound = ["sizes", "vector_store_ids", "context_levels"] as const;

/** One route for each kind of usage. */
export const usageRoutes = (parts: UsageRouteParts): readonly Route[] =>
  (Object.keys(usageKinds) as OpenaiUsageKind[]).map((kind) =>
    route({
      method: "GET",
      path: `/v1/organization/usage/${kind}`,
      summary: `Usage of the organization: ${kind.replaceAll("_", " ")}`,
      tag: "OpenAI: organization",
      surface: "openai",
      access: { scope: "organization:usage" },
      charge: { free: "looking at usage is not use" },
      query: openaiUsageQueries[kind],
      response: openaiUsagePage(openaiUsageResults[kind]),
      handler: async ({ caller, query }) => ({ body: await usagePage(parts, caller, usageKinds[kind], query) }),
    }),
  );

async function usagePage(
  parts: UsageRouteParts,
  caller: Caller,
  kind: UsageKind,
  query: CommonQuery & ListQueries,
): Promise<object> {
  const question = await pageQuestion(parts, caller, query);
  const sums = await readSums(parts, question, query);
  const inBuckets = Map.groupBy(
    sums.filter((sum) => isWanted(sum, kind, query)),
    (sum) => bucketStart(sum.windowStart, question.unit),
  );
  return pageAnswer(question, (bucket) => {
    const hours = new Big(bucket.to.getTime() - bucket.from.getTime()).div(3_600_000);
    return resultsOf(kind, inBuckets.get(bucketStart(bucket.from, question.unit)) ?? [], question.groups, hours);
  });
}

/** A sum with its values by name. */
interface NamedSum {
  readonly windowStart: Date;
  readonly meter: string;
  readonly quantity: string;
  readonly values: Readonly<Partial<Record<SumGroup, string | null>>>;
}

async function readSums(
  { db }: UsageRouteParts,
  { buckets, projectIds, groups, unit }: PageQuestion,
  query: ListQueries,
): Promise<readonly NamedSum[]> {
  const from = buckets[0]?.from;
  const to = buckets.at(-1)?.to;
  if (from === undefined || to === undefined || projectIds.length === 0) return [];
  const keyIds = listOf(query, "api_key_ids");
  const asked: readonly SumGroup[] = [
    "service",
    ...groups.flatMap((group) => (group in dimensions ? [dimensions[group as keyof typeof dimensions]] : [])),
    ...(listOf(query, "models") === undefined ? [] : ["deployment" as const]),
    ...(listOf(query, "user_ids") === undefined ? [] : ["user" as const]),
  ];
  const groupsAsked = [...new Set(asked)];
  const sums = await sumUsage(db, {
    projectIds,
    ...(keyIds === undefined ? {} : { keyIds: keyIds as readonly KeyId[] }),
    from,
    to,
    window: unit,
    groups: groupsAsked,
    meter: null,
    limit: maxSums,
  });
  if (sums.length > maxSums)
    throw new AppError(
      "request.invalid",
      `The page would be made of more than ${maxSums} sums: ask for fewer buckets.`,
      {
        details: { param: "limit" },
      },
    );
  return sums.map((sum) => toNamed(sum, groupsAsked));
}

const toNamed = (sum: UsageSum, groups: readonly SumGroup[]): NamedSum => ({
  windowStart: sum.windowStart ?? new Date(0),
  meter: sum.meter,
  quantity: sum.quantity,
  values: Object.fromEntries(groups.map((group, index) => [group, sum.group[index] ?? null])),
});

function isWanted({ values }: NamedSum, kind: UsageKind, query: ListQueries): boolean {
  if (!kind.services.includes(values.service ?? "")) return false;
  if (query["batch"] === "true" || neverFound.some((name) => listOf(query, name) !== undefined)) return false;
  const matches = (name: string, value: string | null | undefined): boolean =>
    listOf(query, name)?.includes(value ?? "") ?? true;
  return (
    matches("models", values.deployment) &&
    matches("user_ids", values.user) &&
    matches("sources", sourceOf(values.service ?? null))
  );
}

/** One result for each group that used anything. */
function resultsOf(
  kind: UsageKind,
  sums: readonly NamedSum[],
  groups: readonly string[],
  hours: Big,
): readonly object[] {
  const results = new Map<string, { readonly names: object; readonly meters: Map<string, Big> }>();
  for (const sum of sums) {
    const names = Object.fromEntries(
      kind.groups.map((group) => [group, groups.includes(group) ? nameIn(group, sum) : null]),
    );
    const key = JSON.stringify(names);
    const { meters } = results.get(key) ?? { meters: new Map<string, Big>() };
    meters.set(sum.meter, (meters.get(sum.meter) ?? new Big(0)).plus(sum.quantity));
    results.set(key, { names, meters });
  }
  const inOrder = [...results].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, result]) => result);
  return inOrder.map(({ names, meters }) => {
    const sumOf = (of: readonly Meter[]): Big =>
      of.reduce((sum, meter) => sum.plus(meters.get(meter) ?? 0), new Big(0));
    return {
      object: `organization.usage.${kind.name}.result`,
      ...Object.fromEntries(Object.entries(kind.sums).map(([field, of]) => [field, jsonInteger(sumOf(of))])),
      ...Object.fromEntries(
        Object.entries(kind.means).map(([field, meter]) => [field, jsonInteger(sumOf([meter]).div(hours))]),
      ),
      ...names,
    };
  });
}

function nameIn(group: string, { values }: NamedSum): string | boolean | null {
  // No use of ours is a batch's, and none has a service tier, a size or a store.
  if (group === "batch") return false;
  if (group === "source") return sourceOf(values.service ?? null);
  return group in dimensions ? (values[dimensions[group as keyof typeof dimensions]] ?? null) : null;
}
