/**
 * @file Prices that depend on the month's sum (tiers, packages, minimums) are counted as the most that each use can add;
 * here the difference to what billing rates is given back. Only downward, and never below what was really spent. A key's
 * budget keeps the most: its share of a project's month may grow by the use of other keys, after the difference was given back.
 */
import Big from "big.js";
import { sql, type Transaction } from "kysely";
import { spendOf } from "../billing/index.ts";
import type { Database } from "../db/index.ts";
import { allowanceId } from "./budget-rules.ts";
import { spanOf } from "./opening.ts";
import { periodAt } from "./period.ts";
import { databaseNow, findBudget, findSubject, readAllowances } from "./store.ts";

/** How many budgets are looked at in one round, those first that have waited longest. */
const maxRound = 20;

/** Looks at budgets that were not looked at for so long. Returns how many allowances were corrected. */
export async function reconcileBudgets(db: Database, everyMs: number): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    select id from budget where subject_type <> 'key' and reconciled_at < now() - ${everyMs} * interval '1 millisecond'
    order by reconciled_at limit ${maxRound}`.execute(db);
  let corrected = 0;
  for (const { id } of rows) if (await reconcile(db, id, everyMs)) corrected++;
  return corrected;
}

/**
 * The budget's row is locked, so that no two servers give the same difference back. What is counted is read first, what
 * billing rates after it: use that comes between makes the difference smaller. What is settled later adds at least what it
 * costs, so the difference stays right.
 */
async function reconcile(db: Database, id: string, everyMs: number): Promise<boolean> {
  return await db.transaction().execute(async (transaction) => {
    const { rows } = await sql`
      update budget set reconciled_at = now() where id = (
        select id from budget
        where id = ${id} and reconciled_at < now() - ${everyMs} * interval '1 millisecond' for no key update skip locked
      ) returning id`.execute(transaction);
    if (rows.length === 0) return false;
    const excess = await excessOf(transaction, id);
    if (excess === undefined) return false;
    await sql`update allowance set used = used - ${excess.amount}::numeric where id = ${excess.allowance}`.execute(
      transaction,
    );
    return true;
  });
}

/** By how much the current period counts more than billing rates; undefined: it does not. */
async function excessOf(
  transaction: Transaction<unknown>,
  id: string,
): Promise<{ readonly allowance: string; readonly amount: string } | undefined> {
  const budget = await findBudget(transaction, undefined, id);
  if (budget === undefined) return undefined;
  const period = periodAt(budget.period, await databaseNow(transaction));
  const allowance = allowanceId(id, period);
  const [counted] = await readAllowances(transaction, [allowance]);
  if (counted === undefined || new Big(counted.used).lte(0)) return undefined;
  const { subject_type: type, subject_id } = budget;
  const subject = await findSubject(transaction, budget.organization_id, { type, id: subject_id });
  if (subject === undefined) return undefined;
  const { amount } = await spendOf(transaction, { ...subject, ...spanOf(period) });
  const excess = new Big(counted.used).minus(amount);
  return excess.gt(0) ? { allowance, amount: excess.toFixed() } : undefined;
}
