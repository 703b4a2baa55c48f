/** @file How budgets stand in their current periods. */
import { sql, type Transaction } from "kysely";
import type { Database } from "../db/index.ts";
import { allowanceId } from "./budget-rules.ts";
import { type Period, periodAt } from "./period.ts";
import { type BudgetRow, databaseNow, readAllowances } from "./store.ts";

/** A threshold that was passed. */
export type AlertRow = {
  readonly id: string;
  readonly budget_id: string;
  readonly allowance_id: string;
  /** Exact decimals. */
  readonly threshold: string;
  readonly amount: string;
  readonly reached_at: Date;
};

/** How a budget stands. */
export interface BudgetState {
  readonly period: Period;
  /** Exact decimals. */
  readonly used: string;
  readonly held: string;
  /** Of the period, in order of time. */
  readonly alerts: readonly AlertRow[];
}

/** States by budget; their period is the current one by the database's clock. */
export async function readStates(
  source: Database | Transaction<unknown>,
  budgets: readonly Pick<BudgetRow, "id" | "period">[],
): Promise<ReadonlyMap<string, BudgetState>> {
  const now = await databaseNow(source);
  const periods = budgets.map((budget) => {
    const period = periodAt(budget.period, now);
    return { budget, period, id: allowanceId(budget.id, period) };
  });
  const ids = periods.map(({ id }) => id);
  const allowances = new Map((await readAllowances(source, ids)).map((row) => [row.id, row]));
  const { rows } = await sql<AlertRow>`
    select id, budget_id, allowance_id, trim_scale(threshold)::text as threshold, trim_scale(amount)::text as amount,
      reached_at
    from budget_alert where allowance_id = any (${ids}::text[]) order by reached_at, threshold`.execute(source);
  const alerts = Map.groupBy(rows, (row) => row.allowance_id);
  return new Map(
    periods.map(({ budget, period, id }) => {
      const { used = "0", held = "0" } = allowances.get(id) ?? {};
      return [budget.id, { period, used, held, alerts: alerts.get(id) ?? [] }];
    }),
  );
}
