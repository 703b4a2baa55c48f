/** @file Buckets of time and the pages that they come in, as OpenAI's usage has them. Pure. */
import { AppError } from "@gristmill/contract";

/** What a bucket's width is a whole unit (UTC) of. */
export type BucketUnit = "minute" | "hour" | "day";

/** `from` inclusive, `to` exclusive. */
export interface Bucket {
  readonly from: Date;
  readonly to: Date;
}

/** Which buckets are asked for. */
export interface BucketQuestion {
  /** Seconds since 1970. */
  readonly startTime: number;
  /** Seconds since 1970; undefined: now. */
  readonly endTime: number | undefined;
  readonly unit: BucketUnit;
  readonly limit: number;
  /** What the page before gave as `next_page`. */
  readonly page: string | undefined;
  readonly now: Date;
}

/** One page of buckets. */
export interface BucketPage {
  /** In order, without gaps; none: the span lies ahead of now. */
  readonly buckets: readonly Bucket[];
  readonly nextPage: string | null;
}

const lengthMs: Record<BucketUnit, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** The start of the whole unit that a time lies in: what names a bucket. */
export const bucketStart = (time: Date, unit: BucketUnit): number =>
  Math.floor(time.getTime() / lengthMs[unit]) * lengthMs[unit];

/**
 * Buckets begin at whole units; the first and the last are cut where the span begins and ends. There are none after now,
 * so pages end. A page's cursor holds the span, so that pages of one question fit together while time goes on.
 * @throws AppError `request.invalid` when the span is empty or the cursor is not one of ours.
 */
export function bucketPage({ startTime, endTime, unit, limit, page, now }: BucketQuestion): BucketPage {
  if (endTime !== undefined && endTime <= startTime) throw invalid("end_time", "expected a time after `start_time`");
  const untilNow = bucketStart(now, unit) + lengthMs[unit];
  const asked = { next: startTime * 1000, end: Math.min(untilNow, (endTime ?? Number.POSITIVE_INFINITY) * 1000) };
  const { next, end } = page === undefined ? asked : readCursor(page, startTime);
  const buckets: Bucket[] = [];
  let from = next;
  while (from < end && buckets.length < limit) {
    const to = Math.min(bucketStart(new Date(from), unit) + lengthMs[unit], end);
    buckets.push({ from: new Date(from), to: new Date(to) });
    from = to;
  }
  return { buckets, nextPage: from < end ? writeCursor(from, end) : null };
}

const cursorForm = /^page_([A-Za-z0-9_-]{1,100})$/;

const writeCursor = (next: number, end: number): string =>
  `page_${Buffer.from(`${next / 1000}-${end / 1000}`).toString("base64url")}`;

function readCursor(page: string, startTime: number): { readonly next: number; readonly end: number } {
  const text = Buffer.from(cursorForm.exec(page)?.[1] ?? "", "base64url").toString("latin1");
  const [, next, end] = /^(\d{1,12})-(\d{1,12})$/.exec(text) ?? [];
  if (next === undefined || end === undefined || Number(next) < startTime || Number(end) <= Number(next))
    throw invalid("page", "expected the `next_page` of the same question's last page");
  return { next: Number(next) * 1000, end: Number(end) * 1000 };
}

/** A refusal that names the field. */
export const invalid = (param: string, problem: string): AppError =>
  new AppError("request.invalid", `${param}: ${problem}.`, { details: { param } });
