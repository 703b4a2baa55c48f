/** @file metering: meters, reservations and usage events. Read in this order: ledger, database-ledger, group-commit, store. */
import type { Database } from "../db/index.ts";
import type { Feature, Ground } from "../feature.ts";
import type { Limiter } from "../http/index.ts";
import { DatabaseLedger } from "./database-ledger.ts";
import type { Ledger } from "./ledger.ts";
import { noPolicy } from "./no-policy.ts";
import { monthsAround, PartitionsAhead } from "./partitions.ts";
import type { PolicySources } from "./policy.ts";
import { usageEventRoutes } from "./routes.ts";
import { ServerInstance } from "./server-instance.ts";

export { boundedRead } from "./bounded-read.ts";
export {
  type Claim,
  type ClaimName,
  type Ledger,
  type OpenClaim,
  ownSource,
  type Reservation,
  type ReservationRequest,
  rolledUp,
  type Settled,
  type UsageRecord,
} from "./ledger.ts";
export { noPolicy } from "./no-policy.ts";
export { isRefusal, PaidTime, type PaidTimeParts } from "./paid-time.ts";
export type {
  Accrual,
  Allowance,
  Claimant,
  ClaimKind,
  Cost,
  Hold,
  MeteredQuantity,
  PolicySources,
  PriceList,
  RateWindow,
  RuleSet,
  RuleSource,
  Take,
  Terms,
} from "./policy.ts";
export { changeRules } from "./rules.ts";
export { tokensOf } from "./settlement.ts";
export { dueSlices, type Slice, secondsText } from "./slices.ts";
export {
  correctionDimension,
  type SumGroup,
  sumUsage,
  type UsageQuestion,
  type UsageSum,
  type WindowUnit,
} from "./usage-sums.ts";
export { cutAtHours, type Span } from "./whole-hours.ts";

/** What metering is made from. */
export interface MeteringDeps extends Pick<Ground, "now" | "log"> {
  readonly db: Database;
  /** Sessions for writing alone (3 at most), so that slow readers never hold up the ledger; default: those of `db`. */
  readonly writer?: Database;
  /** Limits, budgets and prices; default: none. */
  readonly policy?: PolicySources;
  /** How long a server may be silent until others take it for dead; default 5000. */
  readonly graceMs?: number;
}

/** A running side that must be stopped after it was started: it holds a session by which others see that it lives. */
export interface Metering extends Feature {
  readonly ledger: Ledger;
  /** Counts requests that reserve nothing. */
  readonly limiter: Limiter;
  /** The number under which this server lives (`server_instance`); null before `start`. A number without a row is of a dead one. */
  instance(): number | null;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Makes the ledger. It writes at once; `start` makes partitions ahead and ends the claims of killed servers. */
export function createMetering(deps: MeteringDeps): Metering {
  const { db, writer = db, now, log, policy = noPolicy, graceMs } = deps;
  const ledger: DatabaseLedger = new DatabaseLedger({ db: writer, log, policy, now, instance: () => instance.number });
  const instance: ServerInstance = new ServerInstance({
    db: writer,
    log,
    onVersion: (version) => ledger.knowRules(version),
    ...(graceMs === undefined ? {} : { graceMs }),
  });
  return {
    ledger,
    limiter: ledger,
    instance: () => instance.number,
    routes: usageEventRoutes(db),
    async start() {
      await new PartitionsAhead(writer).cover(monthsAround(now()));
      await instance.start();
    },
    async stop() {
      await ledger.stop();
      await instance.stop();
    },
  };
}
