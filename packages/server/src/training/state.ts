/** @file The life of a run, as a table. Pure: store.ts asks it before every change of status. */
import type { RunStatus } from "@gristmill/contract";

/** What can happen to a run. */
export type Happening =
  /** A scheduler took it and starts a worker. */
  | "claimed"
  /** The worker or its server ended in the middle: what was recorded stays, the rest is done again. */
  | "interrupted"
  | "cancel_requested"
  /** A budget has no room for more of its time: it stopped, with what it had recorded. */
  | "paused"
  /** Somebody asked for it to go on, or the budget has room again. */
  | "resumed"
  /** The worker stopped because it was asked to. */
  | "stopped"
  | "finished"
  | "failed";

const table: { readonly [S in RunStatus]: { readonly [H in Happening]?: RunStatus } } = {
  queued: { claimed: "running", cancel_requested: "cancelled", failed: "failed" },
  running: {
    interrupted: "queued",
    cancel_requested: "cancelling",
    paused: "paused",
    finished: "succeeded",
    failed: "failed",
  },
  cancelling: {
    interrupted: "cancelled", // whoever wanted it to stop has what they wanted
    cancel_requested: "cancelling",
    stopped: "cancelled",
    paused: "cancelled",
    finished: "succeeded", // it was done before the request reached it
    failed: "failed",
  },
  paused: { resumed: "queued", cancel_requested: "cancelled" },
  succeeded: {},
  failed: {},
  cancelled: {},
};

/** The status after a happening; undefined when it cannot happen in that status. */
export const nextStatus = (status: RunStatus, happening: Happening): RunStatus | undefined => table[status][happening];

/** True when nothing happens to the run any more. */
export const isFinal = (status: RunStatus): boolean => Object.keys(table[status]).length === 0;

/** Statuses in which a worker may be at work. */
export const activeStatuses = ["running", "cancelling"] as const satisfies readonly RunStatus[];

/** Statuses that still lead somewhere. */
export const unfinishedStatuses = ["queued", "paused", ...activeStatuses] as const satisfies readonly RunStatus[];
