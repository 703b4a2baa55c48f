/** @file Periods of budgets, in UTC: pure. */
import type { BudgetPeriod } from "@gristmill/contract";

/** One span in which a budget holds. */
export interface Period {
  /** "2026-11-01": the day it begins; "total": it always was. */
  readonly key: string;
  /** Inclusive; null: it has no beginning. */
  readonly start: Date | null;
  /** Exclusive; null: it has no end. */
  readonly end: Date | null;
}

const dayMs = 86_400_000;

/** The period that a moment lies in. Weeks begin on Monday. UTC has no summer time, so days and weeks are all alike. */
export function periodAt(kind: BudgetPeriod, at: Date): Period {
  const day = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()));
  switch (kind) {
    case "total":
      return { key: "total", start: null, end: null };
    case "day":
      return span(day, new Date(day.getTime() + dayMs));
    case "week": {
      // float-ok: days of the week
      const sinceMonday = (day.getUTCDay() + 6) % 7;
      const monday = new Date(day.getTime() - sinceMonday * dayMs);
      return span(monday, new Date(monday.getTime() + 7 * dayMs));
    }
    case "month": {
      const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
      return span(new Date(Date.UTC(year, month)), new Date(Date.UTC(year, month + 1)));
    }
  }
}

const span = (start: Date, end: Date): Period => ({ key: start.toISOString().slice(0, 10), start, end });
