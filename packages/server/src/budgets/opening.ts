/**
 * @file A budget that begins in the middle of its period, or becomes hard: what was spent counts, and what runs finds its
 * place. Called within `changeRules`, so nothing is claimed or settled meanwhile.
 */
import { AppError, type KeyId, type ProjectId } from "@gristmill/contract";
import Big from "big.js";
import { sql, type Transaction } from "kysely";
import { spendOf } from "../billing/index.ts";
import type { MeteredQuantity, PriceList } from "../metering/index.ts";
import { allowanceId, type BudgetRule, BudgetRules, thresholdAmount } from "./budget-rules.ts";
import { type Period, periodAt } from "./period.ts";
import { databaseNow, findSubject } from "./store.ts";

/** Usage lies between these, whatever a clock says. */
const [earliest, latest] = [new Date(Date.UTC(2020, 0)), new Date(Date.UTC(2100, 0))];

/** The span of usage that a period is about. */
export const spanOf = ({ start, end }: Period): { readonly from: Date; readonly to: Date } => ({
  from: start ?? earliest,
  to: end ?? latest,
});

/** Makes a new budget's first allowance: with what its subject has spent in the period so far, exactly as billing rates it. */
export async function openAllowance(transaction: Transaction<unknown>, budget: BudgetRule): Promise<void> {
  const period = periodAt(budget.period, await databaseNow(transaction));
  const subject = await findSubject(transaction, budget.organizationId, budget.subject);
  const spend = subject === undefined ? undefined : await spendOf(transaction, { ...subject, ...spanOf(period) });
  await sql`insert into allowance (id, used) values (${allowanceId(budget.id, period)}, ${spend?.amount ?? "0"}::numeric)
            on conflict (id) do nothing`.execute(transaction);
}

/** Notes the thresholds that the current period has passed already: they may be new. Each is noted once. */
export async function notePassed(transaction: Transaction<unknown>, budget: BudgetRule): Promise<void> {
  const id = allowanceId(budget.id, periodAt(budget.period, await databaseNow(transaction)));
  const amounts = budget.thresholds.map((percent) => thresholdAmount(budget.amount, percent));
  await sql`
    insert into allowance_alert (allowance_id, threshold, used)
    select id, threshold, used from allowance, unnest(${amounts}::numeric[]) as threshold
    where id = ${id} and used >= threshold
    on conflict do nothing`.execute(transaction);
}

interface OpenClaim {
  readonly id: string;
  readonly projectId: ProjectId;
  readonly keyId: KeyId | null;
  readonly estimates: readonly MeteredQuantity[];
  readonly admittedAt: Date;
}

/** Lets a hard budget hold what is under way since before it was there: what comes finds only the room that is really left. */
export async function holdOpenClaims(
  transaction: Transaction<unknown>,
  budget: BudgetRule,
  prices: PriceList,
): Promise<void> {
  if (!budget.hard) return;
  const rules = new BudgetRules([budget]);
  const holds = (await openClaims(transaction, budget)).flatMap((claim) => {
    const { id, projectId, keyId, estimates, admittedAt } = claim;
    const claimant = { organizationId: budget.organizationId, projectId, keyId };
    const costs = estimates.map((estimate) => prices.bound(claimant, estimate, admittedAt));
    try {
      const terms = rules.terms(claimant, estimates, costs, admittedAt, "cost");
      return terms.holds.map(({ allowance, amount }) => ({ claim: id, allowance: allowance.id, amount }));
    } catch (error) {
      // What has no price is not counted when it is settled either.
      if (error instanceof AppError && error.code === "price.unknown") return [];
      throw error;
    }
  });
  const held = Map.groupBy(holds, ({ allowance }) => allowance);
  for (const [id, parts] of held) {
    const amount = parts.reduce((sum, part) => sum.plus(part.amount), new Big(0)).toFixed();
    await sql`
      insert into allowance (id, held) values (${id}, ${amount}::numeric)
      on conflict (id) do update set held = allowance.held + excluded.held`.execute(transaction);
    const claims = JSON.stringify(parts.map(({ claim, amount }) => ({ claim, hold: [[id, amount]] })));
    await sql`
      update reservation set holds = jsonb_set(coalesce(holds, '{}'), '{allowances}',
        coalesce(holds -> 'allowances', '[]') || part.hold)
      from jsonb_to_recordset(${claims}::jsonb) as part (claim text, hold jsonb)
      where request_id = part.claim`.execute(transaction);
  }
}

/** Of the budget's subject, without those that it holds already. */
async function openClaims(transaction: Transaction<unknown>, budget: BudgetRule): Promise<readonly OpenClaim[]> {
  const subject = await findSubject(transaction, budget.organizationId, budget.subject);
  if (subject === undefined) return [];
  const { projectIds, keyIds } = subject;
  const { rows } = await sql<OpenClaim>`
    select request_id as id, project_id as "projectId", key_id as "keyId", estimates, admitted_at as "admittedAt"
    from reservation
    where project_id = any (${projectIds}::text[])
      ${keyIds === undefined ? sql`` : sql`and key_id = any (${keyIds}::text[])`}
      and not exists (
        select from jsonb_array_elements(holds -> 'allowances') as hold where starts_with(hold ->> 0, ${`${budget.id}:`}))
    order by request_id`.execute(transaction);
  return rows.map((row) => ({
    ...row,
    estimates: row.estimates.map((estimate) => ({ ...estimate, dimensions: estimate.dimensions ?? {} })),
  }));
}
