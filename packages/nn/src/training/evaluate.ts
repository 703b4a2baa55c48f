/** @file Loss and metrics of a model on a source. */
import { type Session, tensor } from "@gristmill/onnx";
import type { TargetSpec } from "../losses/loss.ts";
import { sourceFeed } from "./feed.ts";
import { ScoreSum, type Scores } from "./history.ts";
import type { Source } from "./source.ts";
import type { StateArrays } from "./state.ts";

/** What evaluation needs of a model. */
export interface Evaluation {
  readonly session: Session;
  readonly target: TargetSpec;
  readonly metrics: readonly string[];
  readonly state: StateArrays;
}

/** Means over all samples. @throws signal.reason when aborted, which works between batches. */
export async function evaluateSource(
  { session, target, metrics, state }: Evaluation,
  source: Source,
  options: { readonly batchSize: number; readonly signal?: AbortSignal | undefined },
): Promise<Scores> {
  const sum = new ScoreSum(metrics);
  const order = Uint32Array.from({ length: source.length }, (_, i) => i);
  const feed = sourceFeed(source, order, options.batchSize, target);
  const weights = Object.fromEntries(
    session.inputs.flatMap(({ name, shape }) => {
      const data = state.get(name);
      return data === undefined ? [] : [[name, tensor("float32", shape.map(Number), data)]];
    }),
  );
  for (;;) {
    options.signal?.throwIfAborted();
    const run = await feed.next(1);
    if (run === undefined) return sum.scores();
    const { outputs } = await session.run({
      ...weights,
      x: sampleTensor([run.batch, ...source.x.shape], run.x),
      y: targetTensor([run.batch, ...target.shape], run.y),
    });
    sum.add(1, numbersOf(outputs["loss"]), (name) => numbersOf(outputs[`metric/${name}`]));
  }
}

/** Fed samples as a tensor. */
export const sampleTensor = (shape: readonly number[], data: Float32Array | Uint8Array) =>
  data instanceof Uint8Array ? tensor("uint8", shape, data) : tensor("float32", shape, data);

/** Fed answers as a tensor. */
export const targetTensor = (shape: readonly number[], data: Float32Array | Int32Array) =>
  data instanceof Int32Array ? tensor("int32", shape, data) : tensor("float32", shape, data);

/** The numbers of a float32 output. */
export function numbersOf(value: { readonly dtype: string; readonly data: unknown } | undefined): Float32Array {
  if (value?.data instanceof Float32Array) return value.data;
  throw new Error(`expected a float32 output of the program, received ${value?.dtype ?? "none"}`);
}
