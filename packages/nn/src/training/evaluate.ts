/** @file Loss and metrics of a model on a table. */
import { type Session, type Tensor, tensor } from "@gristmill/onnx";
import type { Metric } from "../metrics/metric.ts";
import { tableFeed } from "./feed.ts";
import { type Reports, ScoreSum, type Scores } from "./history.ts";
import type { SampleArray, Signature, Table } from "./source.ts";
import type { StateArrays } from "./state.ts";

/** What evaluation needs of a model. */
export interface Evaluation {
  readonly session: Session;
  readonly signature: Signature;
  readonly metrics: ReadonlyMap<string, Metric>;
  /** Written into where layers keep a memory from run to run. */
  readonly state: StateArrays;
}

/** Scores of all rows. @throws signal.reason when aborted, which works between batches. */
export async function evaluateTable(
  { session, signature, metrics, state }: Evaluation,
  table: Table,
  options: { readonly batchSize: number; readonly signal?: AbortSignal | undefined },
): Promise<Scores> {
  const outputs = [...signature.targets(signature.inputs.map(({ name }) => table.columns[`x/${name}`]?.shape ?? []))];
  const sum = new ScoreSum(
    metrics,
    outputs.map(([name]) => name),
  );
  const order = Uint32Array.from({ length: table.length }, (_, i) => i);
  const feed = tableFeed(table, order, options.batchSize, signature);
  const fed = Object.fromEntries(tensorsOf(session, state));
  const reports = session.outputs.map(({ name }) => name).filter((name) => name.startsWith("report/"));
  const wanted = new Set(session.inputs.map(({ name }) => name));
  for (;;) {
    options.signal?.throwIfAborted();
    const run = await feed.next(1);
    if (run === undefined) return sum.scores();
    const rows = Object.entries(run.arrays).flatMap(([name, array]) =>
      wanted.has(name) ? [[name, dataTensor([run.batch, ...(run.columns[name]?.shape ?? [])], array)]] : [],
    );
    const results = (await session.run({ ...fed, ...Object.fromEntries(rows) })).outputs;
    sum.add(
      run.batch,
      1,
      reports.map((name) => name.slice("report/".length)),
      reportsOf(results),
    );
    for (const [name, result] of Object.entries(results))
      if (name.startsWith("next/")) state.get(name.slice("next/".length))?.set(numbersOf(result));
  }
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
