/** @file events: what others count through us. Rules: README.md. Read in this order: request-events, cloud-event, counting, events. */
import type { Database } from "../db/index.ts";
import type { Feature, Ground } from "../feature.ts";
import type { Ledger } from "../metering/index.ts";
import { Corrections } from "./corrections.ts";
import { EventStore } from "./event-store.ts";
import { Events } from "./events.ts";
import { meterRoutes } from "./meter-routes.ts";
import { MeterStore } from "./meter-store.ts";
import { Meters } from "./meters.ts";
import { Quarantine } from "./quarantine.ts";
import { QuarantineStore } from "./quarantine-store.ts";
import { Reports } from "./reports.ts";
import { oldestKept, Retention } from "./retention.ts";
import { eventRoutes } from "./routes.ts";

/** What events are made from. */
export interface EventsOptions {
  readonly ground: Ground;
  readonly db: Database;
  readonly ledger: Pick<Ledger, "record">;
  /** Whole months that single events are kept beside the running one; 0: for ever. */
  readonly retentionMonths: number;
  /** Events that wait in one project's quarantine at most; default 10,000. */
  readonly quarantineLimit?: number;
}

/** Makes the feature; `start` ends months that are too old, now and every few hours. */
export function createEvents({ ground, db, ledger, retentionMonths, quarantineLimit }: EventsOptions): Feature {
  const { now, newId, log } = ground;
  const store = new EventStore(db);
  const meters = new Meters({ store: new MeterStore(db), now, newId });
  const quarantineStore = new QuarantineStore(db);
  const quarantine = new Quarantine({
    store: quarantineStore,
    newId,
    ...(quarantineLimit === undefined ? {} : { most: quarantineLimit }),
  });
  const oldest = (at: Date) => oldestKept(at, retentionMonths);
  const events = new Events({ ledger, store, meters, quarantine, now, oldest });
  const corrections = new Corrections({ ledger, store, meters });
  const retention = new Retention({ db, quarantine: quarantineStore, now, log, months: retentionMonths });
  return {
    routes: [
      ...eventRoutes({ events, quarantine, corrections, db, now }),
      ...meterRoutes(meters, new Reports({ db, meters, now })),
    ],
    start: async () => retention.start(),
    stop: () => retention.stop(),
  };
}
