/** @file audit: who changed what, and who was denied what. Rules: README.md. Read in this order: entry, trail, store, log. */
import type { Transaction } from "kysely";
import type { Database } from "../db/index.ts";
import type { Feature, Ground } from "../feature.ts";
import type { AuditTrail, Denials } from "../http/index.ts";
import { Chores } from "./chores.ts";
import { DenialCounter } from "./denial-counter.ts";
import type { AuditRecord } from "./entry.ts";
import { AuditLog } from "./log.ts";
import { auditRoutes } from "./routes.ts";
import { DatabaseAuditTrail } from "./trail.ts";

export type { AuditActor, AuditRecord } from "./entry.ts";
export type { AuditLog } from "./log.ts";
export type { EntryFilter, EntryPage } from "./search.ts";

/** What the audit log is made of. */
export interface AuditOptions {
  readonly ground: Ground;
  readonly db: Database;
  /** The number under which this server lives (metering's); null before it has started. */
  readonly instance: () => number | null;
  /** How often leftovers are looked for and counts written; default 5 s. */
  readonly everyMs?: number;
}

/** The feature's face. */
export interface Audit extends Feature {
  /** For the pipeline. */
  readonly trail: AuditTrail;
  readonly denials: Denials;
  /** For reading. */
  readonly log: AuditLog;
  /** For a change that no route's `audit` tells of: see `AuditLog.record`. */
  record(told: AuditRecord, transaction?: Transaction<unknown>): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** The feature; `start` enters what killed servers left. Start it after metering, which knows who lives. */
export function createAudit({ ground, db, instance, everyMs = 5_000 }: AuditOptions): Audit {
  const log = new AuditLog(db, ground.newId);
  const trail = new DatabaseAuditTrail({ ground, db, instance });
  const denials = new DenialCounter(ground.now);
  const chores = new Chores({ trail, denials, db, log: ground.log, everyMs });
  return {
    routes: auditRoutes(log, db),
    trail,
    denials,
    log,
    record: (told, transaction) => log.record(told, transaction),
    start: () => chores.start(),
    stop: () => chores.stop(),
  };
}
