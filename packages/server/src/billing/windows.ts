/** @file Windows of time in UTC, cut to the report's span. */
import type { WindowUnit } from "../metering/index.ts";

/** `from` inclusive, `to` exclusive. */
export interface Span {
  readonly from: Date;
  readonly to: Date;
}

/** Unit lengths in milliseconds; a month at its shortest. */
const shortest: Record<WindowUnit, number> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  month: 28 * 86_400_000,
};

/** How many windows a span has at most. */
export const countWindows = ({ from, to }: Span, unit: WindowUnit): number =>
  Math.ceil((to.getTime() - from.getTime()) / shortest[unit]) + 1;

/** The start of the calendar month (UTC) that a time lies in. */
export const monthOf = (time: Date): Date => new Date(Date.UTC(time.getUTCFullYear(), time.getUTCMonth()));

/** The part of a window that lies in the span: first and last windows are cut where the span begins and ends. */
export function cutWindow(start: Date, unit: WindowUnit, span: Span): Span {
  return {
    from: start < span.from ? span.from : start,
    to: endOf(start, unit) > span.to ? span.to : endOf(start, unit),
  };
}

/** UTC has no summer time, so only months differ in length. */
export function endOf(start: Date, unit: WindowUnit): Date {
  if (unit === "month") return new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1));
  return new Date(start.getTime() + shortest[unit]);
}
