/** @file What a run's time becomes in the ledger. Pure: the same attempt and slice always make the same event. */
import {
  isRefusal,
  type Ledger,
  PaidTime,
  type PaidTimeParts,
  type Slice,
  secondsText,
  type UsageRecord,
} from "../metering/index.ts";
import type { RunRow } from "./store.ts";

/** How the current attempt's time is claimed ahead. */
export const paidTimeOf = (ledger: Ledger, run: RunRow): PaidTimeParts => ({
  ledger,
  projectId: run.project_id,
  keyId: run.key_id,
  idOf: (slice) => sliceId(run, slice),
  use: (quantity) => ({ meter, quantity, dimensions: dimensionsOf(run) }),
});

const meter = "training.seconds";

const sliceId = (run: RunRow, slice: number): string => `${run.id}:${run.attempts}:${slice}`;

const dimensionsOf = (run: RunRow): Record<string, string> => ({
  run: run.id,
  dataset: run.plan.dataset.name,
  hardware: `cpu-${run.threads ?? 1}`,
  ...(run.request.register === undefined ? {} : { model: run.request.register.model }),
});

/** Usage events of an attempt's slices. Their ids tell a repeat: `<run>:<attempt>:<slice>`. */
export function usageOf(run: RunRow, slices: readonly Slice[]): UsageRecord[] {
  const start = (run.attempt_started_at ?? run.created_at).getTime();
  return slices.map(({ index, fromMs, toMs }) => ({
    id: sliceId(run, index),
    meter,
    quantity: secondsText(toMs - fromMs),
    time: new Date(start + toMs),
    admittedAt: new Date(start + fromMs),
    requestId: run.request_id,
    keyId: run.key_id,
    dimensions: dimensionsOf(run),
  }));
}

/** Records slices, each in place of its claim: what was held becomes what was used, in one transaction. */
export async function settleSlices(ledger: Ledger, run: RunRow, events: readonly UsageRecord[]): Promise<void> {
  for (const event of events) await ledger.settle({ id: event.id, projectId: run.project_id }, [event]);
}

/** True when the first slices of a paused run's next attempt would be paid now. */
export async function isPayable(ledger: Ledger, run: RunRow): Promise<boolean> {
  const paid = new PaidTime(paidTimeOf(ledger, { ...run, attempts: run.attempts + 1 }));
  try {
    await paid.cover(0);
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
  await paid.end(0);
  return true;
}
