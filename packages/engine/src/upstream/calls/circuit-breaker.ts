/**
 * @file Whether a failing upstream is called at all: a pure state machine. Closed until some calls in a row failed; then open, nothing
 * is called; after a while one call is let through on trial. Source: Nygard, "Release It!", chapter "Circuit Breaker".
 */
import type { BreakerSettings } from "../options.ts";

/** The state of one upstream. */
export interface BreakerState {
  readonly status: "closed" | "open" | "trial";
  /** In a row, while closed. */
  readonly failures: number;
  /** Openings since the upstream last answered in full: how long the next one lasts. */
  readonly streak: number;
  /** While open: when a trial may begin. */
  readonly untilMs: number;
  /** Counts openings. Calls that began before one say nothing about the time after it. */
  readonly epoch: number;
}

/** How a call went. `alive`: its first piece came. `unknown`: it ended without telling, by its caller's wish or for being one too many. */
export type CallOutcome = "alive" | "answered" | "failed" | "unknown";

/** As every upstream begins. */
export const closedBreaker: BreakerState = { status: "closed", failures: 0, streak: 0, untilMs: 0, epoch: 0 };

/** True when a call may begin now. */
export const admits = (state: BreakerState, nowMs: number): boolean =>
  state.status === "closed" || (state.status === "open" && nowMs >= state.untilMs);

/** A call begins that `admits` let through. */
export const afterStart = (state: BreakerState): BreakerState =>
  state.status === "open" ? { ...state, status: "trial" } : state;

/** A call that began in `epoch` tells how it went. */
export function afterOutcome(
  state: BreakerState,
  outcome: CallOutcome,
  at: { readonly epoch: number; readonly nowMs: number; readonly settings: BreakerSettings },
): BreakerState {
  if (at.epoch !== state.epoch || state.status === "open") return state;
  switch (outcome) {
    case "alive":
      // Closed on probation: the others need not wait for the end of a long answer, but one more failure opens it again.
      return state.status === "trial" ? { ...state, status: "closed", failures: at.settings.failures - 1 } : state;
    case "answered":
      return { ...state, status: "closed", failures: 0, streak: 0 };
    case "failed":
      return afterFailure(state, at.nowMs, at.settings);
    case "unknown":
      // Nothing was learned of the trial: the next call is one.
      return state.status === "trial" ? { ...state, status: "open", untilMs: at.nowMs } : state;
  }
}

function afterFailure(state: BreakerState, nowMs: number, settings: BreakerSettings): BreakerState {
  const failures = state.failures + 1;
  if (state.status === "closed" && failures < settings.failures) return { ...state, failures };
  const openMs = Math.min(settings.openMs * 2 ** state.streak, settings.maxOpenMs);
  return { status: "open", failures: 0, streak: state.streak + 1, untilMs: nowMs + openMs, epoch: state.epoch + 1 };
}
