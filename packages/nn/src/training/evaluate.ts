/** @file Loss and metrics of a model on batches. */
import { type Session, type Tensor, tensor } from "@gristmill/onnx";
import { DataError } from "../errors.ts";
import type { Metric } from "../metrics/metric.ts";
import type { Feed, Run } from "./feed.ts";
import { type Reports, ScoreSum, type Scores } from "./history.ts";
import { running } from "./run-failure.ts";
import type { SampleArray } from "./source.ts";
import type { StateArrays } from "./state.ts";

/** What evaluation needs of a model. */
export interface Evaluation {
  /** The session for batches of these columns and this size. */
  session(columns: Run["columns"], batch: number): Promise<Session>;
  readonly metrics: ReadonlyMap<string, Metric>;
  /** Names of the model's outputs. */
  readonly outputs: readonly string[];
  /** Written into where layers keep a memory from run to run. */
  readonly state: StateArrays;
}

/** Scores of all batches. @throws DataError when there is none; signal.reason when aborted, which works between batches. */
export async function evaluateFeed(
  evaluation: Evaluation,
  feed: Feed,
  signal: AbortSignal | undefined,
): Promise<Scores> {
  const sum = new ScoreSum(evaluation.metrics, evaluation.outputs);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const run = await feed.next(1);
      if (run === undefined) break;
      await evaluateRun(evaluation, run, sum);
    }
  } finally {
    await feed.close?.();
  }
  if (sum.samples === 0) throw new DataError("x: expected at least one sample to evaluate, received none");
  return sum.scores();
}

async function evaluateRun({ session: open, state }: Evaluation, run: Run, sum: ScoreSum): Promise<void> {
  const session = await open(run.columns, run.batch);
  const fed = Object.fromEntries(tensorsOf(session, state));
  const reports = session.outputs.map(({ name }) => name).filter((name) => name.startsWith("report/"));
  const wanted = new Set(session.inputs.map(({ name }) => name));
  const rows = Object.entries(run.arrays).flatMap(([name, array]) =>
    wanted.has(name) ? [[name, dataTensor([run.batch, ...(run.columns[name]?.shape ?? [])], array)]] : [],
  );
  const results = (await running(session.run({ ...fed, ...Object.fromEntries(rows) }))).outputs;
  sum.add(
    run.batch,
    1,
    reports.map((name) => name.slice("report/".length)),
    reportsOf(results),
  );
  for (const [name, result] of Object.entries(results))
    if (name.startsWith("next/")) state.get(name.slice("next/".length))?.set(numbersOf(result));
}

/** Fed rows as a tensor. */
export const dataTensor = (shape: readonly number[], data: SampleArray): Tensor =>
  data instanceof Uint8Array
    ? tensor("uint8", shape, data)
    : data instanceof Int32Array
      ? tensor("int32", shape, data)
      : tensor("float32", shape, data);

/** The state's arrays as tensors, by the names of a session's inputs; `prefix` in place of "state/" for its outputs. */
export const tensorsOf = (session: Session, arrays: StateArrays, prefix = "state/"): [string, Tensor][] =>
  session.inputs.flatMap(({ name, shape }) => {
    const id = name.startsWith("state/") ? name.slice("state/".length) : undefined;
    const data = id === undefined ? undefined : arrays.get(id);
    return data === undefined ? [] : [[`${prefix}${id}`, tensor("float32", shape.map(Number), data)]];
  });

/** What a program reports, by name. */
export const reportsOf =
  (outputs: Readonly<Record<string, Tensor>>): Reports =>
  (name) => {
    const value = outputs[`report/${name}`];
    return value?.data instanceof Float32Array ? value.data : undefined;
  };

/** The numbers of a float32 output. */
export function numbersOf(value: { readonly dtype: string; readonly data: unknown } | undefined): Float32Array {
  if (value?.data instanceof Float32Array) return value.data;
  throw new Error(`expected a float32 output of the program, received ${value?.dtype ?? "none"}`);
}
