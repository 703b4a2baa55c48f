/** @file budgets: how much may be spent. Read in this order: period, budget-rules, opening, alerts, reconciliation, service. */
import type { Database } from "../db/index.ts";
import type { Feature, Ground } from "../feature.ts";
import type { PriceList, RuleSet, RuleSource } from "../metering/index.ts";
import type { Notifications } from "../notifications/index.ts";
import { raiseAlerts } from "./alerts.ts";
import { BudgetRules } from "./budget-rules.ts";
import { reconcileBudgets } from "./reconciliation.ts";
import { Rounds } from "./rounds.ts";
import { budgetRoutes } from "./routes.ts";
import { BudgetService } from "./service.ts";
import { allRules } from "./store.ts";

/** What budgets are made from. */
export interface BudgetsDeps {
  readonly ground: Ground;
  readonly db: Database;
  readonly notifications: Pick<Notifications, "notify" | "hurry" | "deliveriesOf" | "missingWebhooks">;
  /** Billing's, by which the ledger counts. */
  readonly prices: RuleSource<PriceList>;
  /** How often alerts are looked for; default 2000. */
  readonly alertEveryMs?: number;
  /** How long a budget goes without being compared with billing; default 60,000. */
  readonly reconcileEveryMs?: number;
}

/** Budgets, and their rules for the ledger. */
export interface Budgets extends Feature {
  readonly rules: RuleSource<RuleSet>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Refuses by the ledger at all times; tells and reconciles from `start` to `stop`. */
export function createBudgets(deps: BudgetsDeps): Budgets {
  const { ground, db, notifications, prices, alertEveryMs = 2000, reconcileEveryMs = 60_000 } = deps;
  const { newId, log } = ground;
  const alerts = new Rounds({
    name: "raising alerts",
    everyMs: alertEveryMs,
    work: () => raiseAlerts({ db, newId, notifications, days: 1 }),
    log,
  });
  const reconciliation = new Rounds({
    name: "reconciling budgets",
    everyMs: Math.min(reconcileEveryMs, 10_000),
    work: () => reconcileBudgets(db, reconcileEveryMs),
    log,
  });
  const service = new BudgetService({ db, newId, prices, notifications, onChanged: () => alerts.call() });
  return {
    routes: budgetRoutes(service),
    rules: { load: async (source) => new BudgetRules(await allRules(source)) },
    start: async () => {
      while ((await raiseAlerts({ db, newId, notifications, days: 3650 })) > 0);
      alerts.start();
      reconciliation.start();
    },
    stop: async () => {
      await Promise.all([alerts.stop(), reconciliation.stop()]);
    },
  };
}
