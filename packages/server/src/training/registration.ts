/** @file The model card of a finished run. Pure. */
import type { ModelCard } from "@gristmill/contract";
import type { RunRow } from "./store.ts";
import type { FinishedMessage } from "./worker/protocol.ts";

/** All that made the model, so that it can be made again, and how good it is. */
export function cardOf(run: RunRow, finished: FinishedMessage): ModelCard {
  const { plan, request } = run;
  const last = run.history.at(-1)?.metrics ?? {};
  const evaluated = Object.entries(run.evaluation ?? {}).map(([name, value]) => [`test_${name}`, value]);
  return {
    dataset: {
      id: run.dataset_id,
      name: plan.dataset.name,
      version: plan.dataset.version,
      sha256: run.dataset_sha256,
      licence: plan.dataset.licence,
    },
    spec: { ...plan.spec },
    compile: { ...plan.compile },
    fit: { ...request.fit, threads: run.threads },
    metrics: { ...last, ...Object.fromEntries(evaluated) },
    training_seconds: (Number(run.earlier_ms) + Number(run.attempt_ms)) / 1000,
    parameters: plan.parameters,
    environment: finished.environment,
    preprocessing: preprocessingOf(run),
    notes: request.register?.notes ?? null,
  };
}

function preprocessingOf({ plan, request }: RunRow): string {
  const sizes = ["batch", ...plan.recordShape].join(", ");
  return (
    `The input is float32 [${sizes}]: raw bytes (0 to 255) multiplied by ${request.fit.scale}. ` +
    "The graph does not scale: callers of the tensor protocol send scaled values; the image service scales by itself."
  );
}
