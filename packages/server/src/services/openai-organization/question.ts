/** @file What every question about usage and costs has in common, read from its query. */
import { type OpenaiBucketWidth, openaiBucketWidths, type ProjectId } from "@gristmill/contract";
import { projectsOf } from "../../billing/index.ts";
import type { Database } from "../../db/index.ts";
import type { Caller } from "../../http/index.ts";
import { type BucketPage, type BucketUnit, bucketPage, invalid } from "./buckets.ts";

/** What the routes need. */
export interface UsageRouteParts {
  readonly db: Database;
  readonly now: () => Date;
}

/** A query whose lists came under either name. */
export type ListQueries = Readonly<Record<string, unknown>>;

/** A list of a query; undefined: it says nothing about it. */
export function listOf(query: ListQueries, name: string): readonly string[] | undefined {
  const found = query[name] ?? query[`${name}[]`];
  return Array.isArray(found) ? found.map(String) : undefined;
}

/** What the page is about. */
export interface PageQuestion extends BucketPage {
  readonly unit: BucketUnit;
  /** Of the caller's organization alone, whatever the query names. */
  readonly projectIds: readonly ProjectId[];
  readonly groups: readonly string[];
}

/** The fields of every query. */
export interface CommonQuery {
  readonly start_time: number;
  readonly end_time?: number | undefined;
  readonly bucket_width: OpenaiBucketWidth;
  readonly limit?: number | undefined;
  readonly page?: string | undefined;
}

/**
 * Reads what all queries have.
 * @param maxLimit of buckets in a page; default: what the width allows.
 * @throws AppError `request.invalid`.
 */
export async function pageQuestion(
  { db, now }: UsageRouteParts,
  caller: Caller,
  query: CommonQuery & ListQueries,
  maxLimit?: number,
): Promise<PageQuestion> {
  const width = openaiBucketWidths[query.bucket_width];
  const most = maxLimit ?? width.maxLimit;
  const { limit = width.limit } = query;
  if (limit > most) throw invalid("limit", `expected at most ${most} buckets of ${query.bucket_width}`);
  const wanted = listOf(query, "project_ids");
  const projects = await projectsOf(db, caller.organizationId);
  return {
    ...bucketPage({
      startTime: query.start_time,
      endTime: query.end_time,
      unit: width.unit,
      limit,
      page: query.page,
      now: now(),
    }),
    unit: width.unit,
    projectIds: wanted === undefined ? projects : projects.filter((id) => wanted.includes(id)),
    groups: listOf(query, "group_by") ?? [],
  };
}

/** A page's answer: every bucket of it, with what was used in each. */
export function pageAnswer<Result>(
  { buckets, nextPage }: BucketPage,
  resultsOf: (bucket: BucketPage["buckets"][number]) => readonly Result[],
): object {
  return {
    object: "page",
    data: buckets.map((bucket) => ({
      object: "bucket",
      start_time: bucket.from.getTime() / 1000,
      end_time: bucket.to.getTime() / 1000,
      results: resultsOf(bucket),
    })),
    has_more: nextPage !== null,
    next_page: nextPage,
  };
}
