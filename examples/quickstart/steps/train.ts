/** @file Trains the reference CNN and evaluates it on the test images. */

import { formatCount, formatShare, watchRun } from "@gristmill/cli";
import type { Run } from "@gristmill/contract";
import type { Gristmill } from "@gristmill/sdk";
import { epochs, training } from "../network.ts";
import type { Stage } from "../stage.ts";

/** Resolves to the succeeded run. Ctrl-C cancels it. */
export async function train(stage: Stage, client: Gristmill): Promise<Run> {
  const { signal } = stage;
  stage.say("     conv2d(32, 3x3) → maxPooling2d → flatten → dense(128) → dense(10, softmax)");
  stage.say(`     adam, batch 32; ${epochs} epochs here, 10 are usual`);
  const started = await client.runs.create(training, { signal });
  const view = watchRun(stage.screen, " train");
  let run: Run;
  try {
    run = await client.runs.wait(started.id, { signal, onEvent: view.event });
  } catch (error) {
    if (signal.aborted) await client.runs.cancel(started.id);
    throw error;
  } finally {
    view.stop();
  }
  if (run.status !== "succeeded" || run.model_version === null)
    throw new Error(`The run ${run.id} ${run.status}: ${run.error?.message ?? "it registered no model"}`);
  for (const { epoch, metrics, seconds } of run.history)
    stage.say(
      `     epoch ${epoch}  loss ${metrics["loss"]?.toFixed(4)}  accuracy ${formatShare(metrics["accuracy"] ?? 0)}  ${seconds.toFixed(1)} s`,
    );
  const accuracy = formatShare(run.evaluation?.["accuracy"] ?? 0);
  stage.done(`${stage.screen.paint("strong", `${accuracy} of ${formatCount(10_000)} test images are right`)}`);
  stage.done(`registered as ${run.model_version.model}@${run.model_version.version}`);
  return run;
}
