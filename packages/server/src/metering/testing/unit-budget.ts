/** @file For tests of others: every unit of every meter costs one, and each project may use so much. */
import { AppError } from "@gristmill/contract";
import type { Database } from "../../db/index.ts";
import type { Allowance, PolicySources } from "../policy.ts";
import { changeRules } from "../rules.ts";

/** Rules with one hard budget a project, and a way to change how much that is. */
export interface UnitBudget extends PolicySources {
  set(db: Database, capacity: number): Promise<void>;
}

/** A budget of so many units, for all time. */
export function unitBudget(start: number): UnitBudget {
  let capacity = start;
  const cost = (quantity: string | bigint) => ({ priceId: "prc_unit", amount: String(quantity) });
  const allowanceOf = (projectId: string): Allowance => ({
    id: `units:${projectId}`,
    capacity: String(capacity),
    thresholds: [],
    refusal: (state) => new AppError("budget.exceeded", "The budget of units is used up.", { details: { ...state } }),
  });
  return {
    prices: {
      load: async () => ({ bound: (_, { quantity }) => cost(quantity), costOf: (_, { quantity }) => cost(quantity) }),
    },
    rules: [
      {
        load: async () => ({
          terms: ({ projectId }, _, costs) => ({
            holds: costs.map(({ amount }) => ({ allowance: allowanceOf(projectId), amount: amount ?? "0" })),
            takes: [],
          }),
          accruals: ({ projectId }, _, { amount }) => [{ allowance: allowanceOf(projectId), amount: amount ?? "0" }],
        }),
      },
    ],
    async set(db, wanted) {
      await changeRules(db, async () => {
        capacity = wanted;
      });
    },
  };
}
