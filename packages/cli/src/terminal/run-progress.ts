/** @file A run while it trains. */
import type { Run, RunEvent, RunProgress } from "@gristmill/contract";
import type { Paint } from "./paint.ts";
import { startProgress } from "./progress.ts";
import type { Screen } from "./screen.ts";
import { formatCount, formatMetrics, formatSeconds } from "./words.ts";

/** "epoch 1/3  step 120/1875  5,120 images/s  loss 0.1203  accuracy 96.31 %  12s left" */
export function runProgressText(progress: RunProgress): string {
  const { epoch, epochs, step, steps, samples_per_second, seconds_left, metrics } = progress;
  const left = seconds_left === null ? [] : [`${formatSeconds(seconds_left)} left`];
  const speed = `${formatCount(samples_per_second)} images/s`;
  return [`epoch ${epoch}/${epochs}`, `step ${step}/${steps}`, speed, formatMetrics(metrics), ...left].join("  ");
}

/** The same for 80 columns: "epoch 1/3  120/1875  5,120/s  loss 0.120  acc 96.3%  12s left" */
export function shortRunProgressText(progress: RunProgress): string {
  const { epoch, epochs, step, steps, samples_per_second, seconds_left, metrics } = progress;
  const left = seconds_left === null ? [] : [`${formatSeconds(seconds_left)} left`];
  const values = Object.entries(metrics).map(([name, value]) =>
    name === "accuracy" ? `acc ${(value * 100).toFixed(1)}%` : `${name} ${value.toFixed(3)}`,
  );
  return [
    `epoch ${epoch}/${epochs}`,
    `${step}/${steps}`,
    `${formatCount(samples_per_second)}/s`,
    ...values,
    ...left,
  ].join("  ");
}

/** Share of the whole run that is done. */
export const runShare = ({ epoch, epochs, step, steps }: RunProgress): number =>
  (epoch - 1 + step / Math.max(1, steps)) / Math.max(1, epochs);

/** Shows a run's events as they come: a bar, or lines. Feed it each event; call `stop` at the end. */
export function watchRun(screen: Screen, title: string): { event: (event: RunEvent) => void; stop: () => void } {
  const progress = startProgress(screen, title);
  return {
    event({ type, data }) {
      if (type !== "run.progress") return;
      // The server builds this event's data from its schema of a run's progress.
      const now = data as unknown as RunProgress;
      progress.update(runShare(now), [runProgressText(now), shortRunProgressText(now)]);
    },
    stop: () => progress.stop(),
  };
}

/** What came of a run. */
export function runOutcome(run: Run, paint: Paint): string {
  const seconds = formatSeconds(run.training_seconds);
  if (run.status !== "succeeded") {
    const reason = run.error === null ? "" : `: ${run.error.message}`;
    const mark = run.status === "cancelled" ? paint("warning", "■") : paint("bad", "✗");
    return `${mark} ${run.name} ${run.status} after ${seconds}${reason}`;
  }
  const lines = [`${paint("good", "✓")} ${run.name} trained for ${seconds}`];
  const last = run.history.at(-1);
  if (last !== undefined) lines.push(`  epoch ${last.epoch}     ${formatMetrics(last.metrics)}`);
  if (run.evaluation !== null) lines.push(`  test set    ${formatMetrics(run.evaluation)}`);
  if (run.model_version !== null)
    lines.push(`  registered  ${paint("strong", `${run.model_version.model}@${run.model_version.version}`)}`);
  return lines.join("\n");
}
