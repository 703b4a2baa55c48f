/** @file Budgets as admission asks them: from memory, at once. Pure. */
import { AppError, type BudgetPeriod, type OrganizationId } from "@gristmill/contract";
import Big from "big.js";
import type {
  Accrual,
  Allowance,
  Claimant,
  ClaimKind,
  Cost,
  Hold,
  MeteredQuantity,
  RuleSet,
  Terms,
} from "../metering/index.ts";
import { type Period, periodAt } from "./period.ts";

/** A budget as it decides. */
export interface BudgetRule {
  readonly id: string;
  readonly organizationId: OrganizationId;
  readonly name: string;
  readonly subject: { readonly type: "organization" | "project" | "key"; readonly id: string };
  /** Exact decimal. */
  readonly amount: string;
  readonly currency: string;
  readonly period: BudgetPeriod;
  readonly hard: boolean;
  /** Percent, exact decimals, ascending. */
  readonly thresholds: readonly string[];
}

/** The row in which the ledger counts a budget in one of its periods. */
export const allowanceId = (budgetId: string, { key }: Period): string => `${budgetId}:${key}`;

/** Percent of a budget's amount, exact, without an exponent. */
export const thresholdAmount = (amount: string, percent: string): string =>
  new Big(amount).times(percent).div(100).toFixed();

/**
 * Running cost is claimed ahead of the time that it is for (two slices of 60 s), and counts in the period of that time: so
 * it finds room in both periods when one ends between.
 */
const aheadMs = 120_000;

/** All budgets as of one version of the rules. */
export class BudgetRules implements RuleSet {
  readonly #bySubject: ReadonlyMap<string, readonly BudgetRule[]>;
  /** Of the last period asked for, by budget: a period lasts a day at least. */
  readonly #allowances = new Map<string, Allowance>();

  constructor(budgets: readonly BudgetRule[]) {
    this.#bySubject = Map.groupBy(budgets, ({ subject }) => `${subject.type} ${subject.id}`);
  }

  /** Hard budgets hold what a claim can cost at most; soft ones only count what was used. What costs nothing needs no room. */
  terms(
    claimant: Claimant,
    estimates: readonly MeteredQuantity[],
    costs: readonly Cost[],
    at: Date,
    kind: ClaimKind,
  ): Terms {
    const budgets = this.#of(claimant).filter(({ hard }) => hard);
    if (budgets.length === 0 || estimates.length === 0) return { holds: [], takes: [] };
    const amount = sumOf(estimates, costs, budgets[0]);
    if (new Big(amount).lte(0)) return { holds: [], takes: [] };
    const moments = kind === "cost" ? [at, new Date(at.getTime() + aheadMs)] : [at];
    const holds = new Map<string, Hold>();
    for (const budget of budgets)
      for (const moment of moments) {
        const allowance = this.#allowance(budget, moment);
        holds.set(allowance.id, { allowance, amount });
      }
    return { holds: [...holds.values()], takes: [] };
  }

  accruals(claimant: Claimant, _used: MeteredQuantity, { amount }: Cost, admittedAt: Date): readonly Accrual[] {
    if (amount === null) return [];
    return this.#of(claimant).map((budget) => ({ allowance: this.#allowance(budget, admittedAt), amount }));
  }

  #of({ organizationId, projectId, keyId }: Claimant): readonly BudgetRule[] {
    if (this.#bySubject.size === 0) return [];
    return [`organization ${organizationId}`, `project ${projectId}`, `key ${keyId}`].flatMap(
      (subject) => this.#bySubject.get(subject) ?? [],
    );
  }

  #allowance(budget: BudgetRule, at: Date): Allowance {
    const period = periodAt(budget.period, at);
    const id = allowanceId(budget.id, period);
    const known = this.#allowances.get(budget.id);
    if (known?.id === id) return known;
    const allowance = {
      id,
      capacity: budget.hard ? budget.amount : null,
      thresholds: budget.thresholds.map((percent) => thresholdAmount(budget.amount, percent)),
      refusal: (state: { used: string; held: string; wanted: string }) => exceeded(budget, period, state),
    };
    this.#allowances.set(budget.id, allowance);
    return allowance;
  }
}

function sumOf(estimates: readonly MeteredQuantity[], costs: readonly Cost[], budget: BudgetRule | undefined): string {
  let sum = new Big(0);
  for (const [index, estimate] of estimates.entries()) {
    const amount = costs[index]?.amount ?? null;
    if (amount === null)
      throw new AppError(
        "price.unknown",
        `There is no price for ${estimate.meter}, and the hard budget "${budget?.name}" can't tell what it would cost.`,
        { details: { meter: estimate.meter, budget: budget?.id } },
      );
    sum = sum.plus(amount);
  }
  return sum.toFixed();
}

function exceeded(
  budget: BudgetRule,
  period: Period,
  state: { readonly used: string; readonly held: string; readonly wanted: string },
): AppError {
  const { id, name, subject, amount, currency } = budget;
  const [spent, reserved, wanted] = [state.used, state.held, state.wanted].map((text) => new Big(text).toFixed());
  return new AppError(
    "budget.exceeded",
    `The budget "${name}" of ${amount} ${currency} has no room for ${wanted} more: ${spent} is spent, ${reserved} reserved.`,
    {
      details: {
        budget: id,
        name,
        subject,
        amount,
        currency,
        spent,
        reserved,
        wanted,
        period: budget.period,
        period_end: period.end?.toISOString() ?? null,
      },
    },
  );
}
