/** @file Times as people write them on a command line. */
import { InvalidArgumentError } from "commander";

const spans = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/**
 * "2026-11-01T09:30:00Z" as it is, "2026-11-01" and "2026-11" as the begin of that day or month in UTC, "7d" as so long before now,
 * "+7d" as so long after. @throws InvalidArgumentError
 */
export function parseTime(text: string, nowMs: number = Date.now()): string {
  const away = /^(\+?)(\d{1,6})([mhdw])$/.exec(text);
  if (away !== null) {
    const span = Number(away[2]) * spans[away[3] as keyof typeof spans];
    return new Date(nowMs + (away[1] === "+" ? span : -span)).toISOString();
  }
  const whole = /^\d{4}-\d{2}$/.test(text) ? `${text}-01` : text;
  const time = new Date(/^\d{4}-\d{2}-\d{2}$/.test(whole) ? `${whole}T00:00:00Z` : whole);
  const isZoned = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(whole);
  if (!isZoned || Number.isNaN(time.getTime()))
    throw new InvalidArgumentError(
      "Expected a time such as 2026-11-01, 2026-11-01T09:30:00Z, 7d (ago) or +7d (from now; m, h, d or w).",
    );
  return time.toISOString();
}

/** For commander, which hands its parsers the value before as a second argument. */
export const time = (text: string): string => parseTime(text);
