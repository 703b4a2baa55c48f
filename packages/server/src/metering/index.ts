/** @file metering: meters, reservations and usage events. Read in this order: ledger, database-ledger, group-commit, store. */
import type { Database } from "../db/index.ts";
import type { Feature, Ground } from "../feature.ts";
import { DatabaseLedger } from "./database-ledger.ts";
import type { Ledger } from "./ledger.ts";
import { monthsAround, PartitionsAhead } from "./partitions.ts";
import { usageEventRoutes } from "./routes.ts";
import { releaseClaimsOfDead, ServerInstance } from "./server-instance.ts";

export { type Ledger, ownSource, type Reservation, type ReservationRequest, type UsageRecord } from "./ledger.ts";
export { dueSlices, type Slice, secondsText } from "./slices.ts";
export { type SumGroup, sumUsage, type UsageQuestion, type UsageSum, type WindowUnit } from "./usage-sums.ts";

/** What metering is made from. */
export interface MeteringDeps extends Pick<Ground, "now" | "log"> {
  readonly db: Database;
  /** Sessions for writing alone (3 at most), so that slow readers never hold up the ledger; default: those of `db`. */
  readonly writer?: Database;
}

/** A running side that must be stopped after it was started: it holds a session by which others see that it lives. */
export interface Metering extends Feature {
  readonly ledger: Ledger;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Makes the ledger. It writes at once; `start` makes partitions ahead and ends the claims of killed servers. */
export function createMetering({ db, writer = db, now, log }: MeteringDeps): Metering {
  const instance = new ServerInstance(writer, log);
  const ledger = new DatabaseLedger({ db: writer, log, instance: () => instance.number });
  return {
    ledger,
    routes: usageEventRoutes(db),
    async start() {
      await new PartitionsAhead(writer).cover(monthsAround(now()));
      await instance.start();
      const claims = await releaseClaimsOfDead(writer).catch(async (error: unknown) => {
        await instance.stop();
        throw error;
      });
      if (claims > 0) log.warn({ claims }, "ended the claims of requests that a killed server never answered");
    },
    async stop() {
      await ledger.stop();
      await instance.stop();
    },
  };
}
