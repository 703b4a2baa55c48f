/** @file Budgets and alerts as they cross the wire. */
import type { Budget, BudgetAlert } from "@gristmill/contract";
import Big from "big.js";
import type { DeliveryRow } from "../notifications/index.ts";
import type { Period } from "./period.ts";
import type { AlertRow, BudgetState } from "./state.ts";
import type { BudgetRow } from "./store.ts";

/** @param deliveries by the id of their alert. */
export function budgetToWire(
  row: BudgetRow,
  { period, used, held, alerts }: BudgetState,
  deliveries: ReadonlyMap<string, readonly DeliveryRow[]>,
): Budget {
  return {
    id: row.id,
    object: "budget",
    name: row.name,
    subject: { type: row.subject_type, id: row.subject_id },
    amount: row.amount,
    currency: row.currency,
    period: row.period,
    ...periodToWire(period),
    hard: row.hard,
    thresholds: row.thresholds.map(Number),
    notify: { emails: [...row.emails], webhooks: [...row.webhooks] },
    spent: used,
    reserved: held,
    remaining: new Big(row.amount).minus(used).minus(held).toFixed(),
    alerts: alerts.map((alert) => alertToWire(alert, period, deliveries.get(alert.id) ?? [])),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

/** null: there is none. */
export const periodToWire = ({ start, end }: Period): Pick<Budget, "period_start" | "period_end"> => ({
  period_start: start?.toISOString() ?? null,
  period_end: end?.toISOString() ?? null,
});

/** Which percent of the amount that was in force, to two digits: "80", "33.33". */
export const percentOf = ({ threshold, amount }: Pick<AlertRow, "threshold" | "amount">): number =>
  // float-ok: a percentage that is shown, and nothing is reckoned with
  Number(new Big(threshold).times(100).div(amount).round(2).toFixed());

const alertToWire = (alert: AlertRow, period: Period, deliveries: readonly DeliveryRow[]): BudgetAlert => ({
  id: alert.id,
  threshold: percentOf(alert),
  amount: alert.threshold,
  period_start: periodToWire(period).period_start,
  reached_at: alert.reached_at.toISOString(),
  deliveries: deliveries.map(({ channel, recipient, status, attempts, last_error }) => ({
    channel,
    recipient,
    status,
    attempts,
    last_error,
  })),
});
