/** @file How an attempt ended, and what that makes of its run. Pure. */
import type { ErrorCode, Run } from "@gristmill/contract";
import { sql } from "kysely";
import { type Happening, isFinal, nextStatus } from "./state.ts";
import { dbNow, type NewEvent, type RunChange, type RunRow } from "./store.ts";

/** A run whose worker dies so often in a row, without a checkpoint between, is given up. */
export const deathLimit = 3;

/** How an attempt ended. */
export type Ending =
  | { readonly kind: "finished"; readonly modelVersion: Run["model_version"] }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string }
  /** Nobody pays for more of its time. */
  | { readonly kind: "paused"; readonly error: NonNullable<Run["error"]> }
  /** It was asked to. */
  | { readonly kind: "stopped" }
  /** The worker ended by itself or was killed. */
  | { readonly kind: "died"; readonly how: string; readonly lastLines: string }
  /** The server stops, or was gone. */
  | { readonly kind: "interrupted"; readonly reason: string };

/** Milliseconds before a run whose worker died so many times in a row is started again. */
export const retryDelayMs = (deaths: number): number => Math.min(1000 * 2 ** (deaths - 1), 30_000);

/** What is written of the run; its time must be in the ledger already. undefined: the run had ended before. */
export function changeOf(row: RunRow, ending: Ending): RunChange | undefined {
  if (isFinal(row.status)) return undefined;
  const deaths = ending.kind === "died" ? row.deaths + 1 : 0;
  const happening = happeningOf(ending, deaths);
  const status = nextStatus(row.status, happening);
  if (status === undefined) throw new Error(`run ${row.id}: ${happening} cannot happen while it is ${row.status}`);
  const rest = {
    status,
    deaths: ending.kind === "interrupted" ? row.deaths : deaths,
    owner: null,
    earlier_ms: Number(row.earlier_ms) + Number(row.attempt_ms),
    attempt_ms: 0,
    slices_recorded: 0,
  };
  if (status === "queued") {
    const waitMs = ending.kind === "died" ? retryDelayMs(deaths) : 0;
    const not_before = sql`now() + ${waitMs} * interval '1 millisecond'`;
    return { set: { ...rest, not_before }, events: [{ type: "run.queued", data: whyAgain(ending, waitMs) }] };
  }
  if (status === "paused" && ending.kind === "paused") {
    const { error } = ending;
    return { set: { ...rest, error: JSON.stringify(error) }, events: [{ type: "run.paused", data: { error } }] };
  }
  const ended = { ...rest, finished_at: dbNow };
  if (status === "cancelled")
    return { set: ended, events: [{ type: "run.cancelled", data: { checkpoint: row.checkpoint } }] };
  if (ending.kind === "finished") {
    const { modelVersion } = ending;
    if (modelVersion === null) return { set: ended, events: [{ type: "run.succeeded" }] };
    const events: NewEvent[] = [{ type: "run.registered", data: { ...modelVersion } }, { type: "run.succeeded" }];
    return { set: { ...ended, model_version: JSON.stringify(modelVersion) }, events };
  }
  const error = errorOf(ending, deaths);
  return { set: { ...ended, error: JSON.stringify(error) }, events: [{ type: "run.failed", data: { error } }] };
}

/** A paused run is queued again; undefined when it is not paused. */
export function resumption(row: RunRow): RunChange | undefined {
  const status = nextStatus(row.status, "resumed");
  if (status === undefined) return undefined;
  return {
    set: { status, error: null, not_before: dbNow },
    events: [{ type: "run.queued", data: { reason: "it was paused and is to go on" } }],
  };
}

function happeningOf(ending: Ending, deaths: number): Happening {
  switch (ending.kind) {
    case "finished":
    case "failed":
    case "stopped":
    case "paused":
    case "interrupted":
      return ending.kind;
    case "died":
      return deaths >= deathLimit ? "failed" : "interrupted";
  }
}

function whyAgain(ending: Ending, waitMs: number): Record<string, unknown> {
  if (ending.kind !== "died") return { reason: ending.kind === "interrupted" ? ending.reason : ending.kind };
  return { reason: `the worker ${ending.how}`, last_lines: ending.lastLines, wait_ms: waitMs };
}

function errorOf(ending: Ending, deaths: number): NonNullable<Run["error"]> {
  if (ending.kind === "failed") return { code: ending.code, message: ending.message };
  if (ending.kind !== "died") throw new Error(`an attempt that ${ending.kind} is no failure`);
  return {
    code: "run.worker_died",
    message: `The training process ended ${deaths} times in a row without a checkpoint between; last, it ${ending.how}.`,
    details: { last_lines: ending.lastLines },
  };
}
