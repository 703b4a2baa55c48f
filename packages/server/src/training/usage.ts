/** @file What a run's time becomes in the ledger. Pure: the same attempt and slice always make the same event. */
import { type Slice, secondsText, type UsageRecord } from "../metering/index.ts";
import type { RunRow } from "./store.ts";

/** Usage events of an attempt's slices. Their ids tell a repeat: `<run>:<attempt>:<slice>`. */
export function usageOf(run: RunRow, slices: readonly Slice[]): UsageRecord[] {
  const start = (run.attempt_started_at ?? run.created_at).getTime();
  return slices.map(({ index, fromMs, toMs }) => ({
    id: `${run.id}:${run.attempts}:${index}`,
    meter: "training.seconds",
    quantity: secondsText(toMs - fromMs),
    time: new Date(start + toMs),
    admittedAt: new Date(start + fromMs),
    requestId: run.request_id,
    keyId: run.key_id,
    dimensions: {
      run: run.id,
      dataset: run.plan.dataset.name,
      hardware: `cpu-${run.threads ?? 1}`,
      ...(run.request.register === undefined ? {} : { model: run.request.register.model }),
    },
  }));
}
