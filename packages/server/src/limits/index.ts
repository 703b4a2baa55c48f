/** @file limits: requests and tokens a minute, requests at once. Rules: README.md. */
import type { Database } from "../db/index.ts";
import type { Feature, Ground } from "../feature.ts";
import type { RuleSet, RuleSource } from "../metering/index.ts";
import { limitRoutes } from "./routes.ts";
import { LimitRules } from "./rules.ts";
import { LimitsService } from "./service.ts";
import { allLimits } from "./store.ts";

/** What limits are made of. */
export interface LimitsOptions {
  readonly ground: Pick<Ground, "newId">;
  readonly db: Database;
}

/** The feature, and its rules for the ledger. */
export function createLimits({ ground, db }: LimitsOptions): Feature & { readonly rules: RuleSource<RuleSet> } {
  return {
    routes: limitRoutes(new LimitsService(db, ground.newId)),
    rules: {
      load: async (session) =>
        new LimitRules(
          (await allLimits(session)).map(({ id, subject_type, subject_id, metric, value }) => ({
            id,
            subject: { type: subject_type, id: subject_id },
            metric,
            value: Number(value),
          })),
        ),
    },
  };
}
