/** @file A training as people watch it: a bar for each epoch, a line when it is done, and the same in the log. */
import { formatSeconds, formatShare, startProgress } from "@gristmill/cli";
import type { EpochResult, FitOptions, Progress, Scores } from "@gristmill/nn";
import { writeCurves } from "./curves.ts";
import type { Example } from "./example.ts";

/** Anything that trains: a model bound to its data. */
export type Training = (options: FitOptions) => Promise<unknown>;

/** How a training is shown. */
export interface TrainOptions extends Omit<FitOptions, "signal" | "threads" | "onProgress"> {
  readonly epochs: number;
  /** Steps of an epoch, where a stream does not say. */
  readonly steps?: number;
  /** Of several trainings, which one: stands before its lines and in the log. */
  readonly label?: string;
}

/**
 * Trains, and shows and logs it.
 *
 *     await train(example, (options) => model.fit(x, y, options), { epochs: 3 });
 */
export async function train(example: Example, training: Training, options: TrainOptions): Promise<EpochResult[]> {
  const { steps: known, label = "", onEpochEnd, ...rest } = options;
  const results: EpochResult[] = [];
  const start = performance.now();
  let bar: ReturnType<typeof startProgress> | undefined;
  const onProgress = (progress: Progress): void => {
    const { epoch, epochs, step, steps = known } = progress;
    const done = steps === undefined ? 0 : (epoch - 1 + step / steps) / epochs;
    const secondsLeft = done === 0 ? undefined : ((performance.now() - start) / 1000) * (1 / done - 1);
    bar ??= startProgress(example.screen, `${label && `${label} `}epoch ${epoch}/${epochs}`);
    bar.update(steps === undefined ? 0 : step / steps, `${scoresText(progress)}${left(secondsLeft)}`);
  };
  const close = (): void => {
    bar?.stop();
    bar = undefined;
  };
  try {
    await training({
      ...rest,
      signal: example.signal,
      ...(example.threads === undefined ? {} : { threads: example.threads }),
      onProgress,
      async onEpochEnd(result) {
        close();
        results.push(result);
        const { epoch, validation, seconds } = result;
        const tested = validation === undefined ? "" : `   test ${scoresText(validation)}`;
        example.say(
          `${label && `${label} `}epoch ${epoch}   ${scoresText(result)}${tested}   ${formatSeconds(seconds)}`,
        );
        await example.folder.log({ ...(label === "" ? {} : { label }), ...result });
        await writeCurves(example.folder, label, results); // each time: an interrupted training has its curves too
        await onEpochEnd?.(result);
      },
    });
  } finally {
    close();
  }
  return results;
}

const left = (seconds: number | undefined): string => (seconds === undefined ? "" : `  ${formatSeconds(seconds)} left`);

const scoresText = ({ loss, metrics }: Scores): string =>
  [
    `loss ${loss.toFixed(4)}`,
    ...Object.entries(metrics).map(([name, value]) => `${name} ${metricText(name, value)}`),
  ].join("  ");

const metricText = (name: string, value: number): string =>
  /accuracy/i.test(name) ? formatShare(value) : value.toFixed(4);
