/** @file From thresholds that the ledger has noted to letters and calls: each once, whichever server finds it first. */
import { sql, type Transaction } from "kysely";
import type { Database } from "../db/index.ts";
import type { NewId } from "../ids.ts";
import type { Notice, Notifications } from "../notifications/index.ts";
import { type Period, periodAt } from "./period.ts";
import type { AlertRow } from "./state.ts";
import type { BudgetRow } from "./store.ts";
import { percentOf, periodToWire } from "./wire.ts";

/** A threshold noted by the ledger, with its budget. */
type Passed = Pick<
  BudgetRow,
  "organization_id" | "name" | "subject_type" | "subject_id" | "currency" | "period" | "hard"
> &
  Pick<BudgetRow, "emails" | "webhooks"> &
  Omit<AlertRow, "id"> & { readonly used: string };

/** So many in one transaction. */
const maxAlerts = 100;

/** What raising alerts needs. */
export interface AlertParts {
  readonly db: Database;
  readonly newId: NewId;
  readonly notifications: Pick<Notifications, "notify" | "hurry">;
  /** How far back to look: what no server was there to tell may be old; what is looked for every moment is not. */
  readonly days: number;
}

/** Raises what has not been raised; returns how many. An alert and its deliveries are written together. */
export async function raiseAlerts({ db, newId, notifications, days }: AlertParts): Promise<number> {
  const raised = await db.transaction().execute(async (transaction) => {
    let count = 0;
    for (const passed of await readPassed(transaction, days)) {
      const id = newId("alert");
      if (!(await insertAlert(transaction, id, passed))) continue;
      const { webhooks, emails } = passed;
      await notifications.notify(noticeOf(id, passed), { webhooks, emails }, transaction);
      count++;
    }
    return count;
  });
  if (raised > 0) notifications.hurry();
  return raised;
}

async function readPassed(transaction: Transaction<unknown>, days: number): Promise<readonly Passed[]> {
  const { rows } = await sql<Passed>`
    select budget.id as budget_id, budget.organization_id, budget.name, budget.subject_type, budget.subject_id,
      budget.currency, budget.period, budget.hard, budget.emails, budget.webhooks,
      noted.allowance_id, trim_scale(noted.threshold)::text as threshold, trim_scale(noted.used)::text as used,
      trim_scale(budget.amount)::text as amount, noted.noted_at as reached_at
    from allowance_alert as noted join budget on budget.id = split_part(noted.allowance_id, ':', 1)
    where noted.noted_at > now() - ${days} * interval '1 day' and not exists (
      select from budget_alert as known
      where known.allowance_id = noted.allowance_id and known.threshold = noted.threshold)
    order by noted.number limit ${maxAlerts}`.execute(transaction);
  return rows;
}

/** false: another server has raised it. */
async function insertAlert(transaction: Transaction<unknown>, id: string, passed: Passed): Promise<boolean> {
  const { budget_id, allowance_id, threshold, amount, reached_at } = passed;
  const { numAffectedRows } = await sql`
    insert into budget_alert (id, budget_id, allowance_id, threshold, amount, reached_at)
    values (${id}, ${budget_id}, ${allowance_id}, ${threshold}::numeric, ${amount}::numeric, ${reached_at})
    on conflict (allowance_id, threshold) do nothing`.execute(transaction);
  return numAffectedRows === 1n;
}

function noticeOf(id: string, passed: Passed): Notice {
  const { budget_id, organization_id, name, currency, amount, used, threshold, hard } = passed;
  const period = periodOf(passed);
  const percent = percentOf(passed);
  const consequence = hard
    ? "The budget is hard: what would go beyond its amount is refused."
    : "The budget is not hard: work goes on.";
  return {
    id,
    organizationId: organization_id,
    type: "budget.threshold_reached",
    time: passed.reached_at,
    data: {
      budget: {
        id: budget_id,
        name,
        subject: { type: passed.subject_type, id: passed.subject_id },
        amount,
        currency,
        period: passed.period,
        ...periodToWire(period),
        hard,
      },
      threshold: percent,
      threshold_amount: threshold,
      spent: used,
    },
    subject: `Gristmill: the budget "${name}" has reached ${percent} %`,
    text: [
      `The budget "${name}" has reached ${percent} % of its ${amount} ${currency}.`,
      "",
      `Spent:   ${used} ${currency}`,
      `Of:      the ${passed.subject_type} ${passed.subject_id}`,
      `Period:  ${period.start === null ? "total" : `${passed.period}, from ${period.start.toISOString()}`}`,
      "",
      consequence,
      "",
      `Budget ${budget_id}, alert ${id}`,
      "",
    ].join("\n"),
  };
}

/** The period of an allowance's id. */
function periodOf({ allowance_id, period }: Pick<Passed, "allowance_id" | "period">): Period {
  const key = allowance_id.slice(allowance_id.indexOf(":") + 1);
  return periodAt(period, key === "total" ? new Date(0) : new Date(key));
}
