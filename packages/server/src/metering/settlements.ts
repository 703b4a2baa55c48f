/** @file Writes settlements, each group by one version of the rules. */
import type { Database } from "../db/index.ts";
import type { CurrentPolicy } from "./current-policy.ts";
import { maxTries, repeatedOnce, restless } from "./failure.ts";
import type { UsageRecord } from "./ledger.ts";
import type { Organizations } from "./organizations.ts";
import { PartitionsAhead } from "./partitions.ts";
import { askToSettle, type Settlement } from "./settlement.ts";
import { makeRooms, settle } from "./store.ts";

/** What writes settlements. */
export interface SettlementsDeps {
  readonly db: Database;
  readonly policy: CurrentPolicy;
  readonly organizations: Organizations;
}

/** Rates groups of settlements and writes them durably, all or none. */
export class Settlements {
  readonly #deps: SettlementsDeps;
  readonly #partitions: PartitionsAhead;

  constructor(deps: SettlementsDeps) {
    this.#deps = deps;
    this.#partitions = new PartitionsAhead(deps.db);
  }

  /**
   * Resolves when all is on disk, to the records that were there already.
   * @throws AppError `database.unavailable`, or what PostgreSQL says of the rows.
   */
  async write(settlements: readonly Settlement[]): Promise<ReadonlySet<UsageRecord>> {
    const { db, policy, organizations } = this.#deps;
    await repeatedOnce(async () => {
      await this.#partitions.cover(settlements.flatMap(({ events }) => events));
      await organizations.learn(
        settlements.flatMap(({ projectId, events }) => (events.length === 0 ? [] : [projectId])),
      );
    });
    for (let tries = 0; tries < maxTries; tries++) {
      const decidedBy = await repeatedOnce(() => policy.get());
      const question = askToSettle(decidedBy, settlements, (projectId) => organizations.find(projectId));
      const answer = await repeatedOnce(() => settle(db, question));
      if (answer === "stale") await repeatedOnce(() => policy.after(decidedBy));
      else if (answer === "missing")
        await repeatedOnce(() =>
          makeRooms(
            db,
            question.accruals.map(({ allowance }) => allowance),
            [],
          ),
        );
      else return new Set(answer.flatMap((n) => question.events[n - 1]?.record ?? []));
    }
    throw restless();
  }
}
