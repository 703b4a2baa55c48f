/** @file Runs a metric over batches, as an evaluation does: sums of each batch are added, and read after each. */
import { createSession, GraphBuilder, model } from "@gristmill/onnx";
import { logitsOf } from "../compile/forward.ts";
import { GraphMath } from "../graph/graph-math.ts";
import type { AccuracyKind } from "../losses/loss.ts";
import type { Metric, Sums } from "../metrics/metric.ts";
import { metrics } from "../metrics/table.ts";
import { madeFrom } from "../schema/kind.ts";
import { type GoldenArray, type GoldenCase, type GoldenSpec, type Mismatches, mismatches, tensorOf } from "./golden.ts";

/** Numbers that a metric says: one, a list, or a table. */
type Said = number | string | readonly Said[];

/** A metric, batches, and its value after each of them. */
export interface MetricGolden extends GoldenCase {
  readonly metric: GoldenSpec;
  readonly batches: readonly {
    readonly target: GoldenArray;
    readonly prediction: GoldenArray;
    readonly mask?: GoldenArray;
  }[];
  readonly values: readonly Said[];
}

/** Share of the value, or of 1: Keras itself sums these in float32. */
export const metricTolerance = 1e-5;

/** The sums of one batch. */
async function sumsOf(metric: Metric, batch: MetricGolden["batches"][number], name: string): Promise<Sums> {
  const builder = new GraphBuilder("metric");
  const math = new GraphMath(builder);
  const { target, prediction, mask } = batch;
  const output = builder.input("prediction", "float32", prediction.shape);
  const isSparse = target.shape.length < prediction.shape.length;
  const width = prediction.shape.at(-1) ?? 1;
  const kind: AccuracyKind = isSparse ? "sparseCategorical" : width > 1 ? "categorical" : "binary";
  const truth = builder.input("target", isSparse ? "int32" : "float32", target.shape);
  const weights = mask && builder.input("mask", "float32", mask.shape);
  const written = metric.sums({
    math,
    output,
    logits: logitsOf(math, output),
    target: truth,
    mask: weights && math.cast(weights, "bool"),
    kind,
    weights,
  });
  for (const [part, value] of Object.entries(written)) builder.output(value, part);
  const session = await createSession(model(builder.build()), { threads: 1, name });
  try {
    const feeds = { prediction: tensorOf(prediction), target: tensorOf(target), ...(mask && { mask: tensorOf(mask) }) };
    const { outputs } = await session.run(feeds);
    return Object.fromEntries(
      Object.entries(outputs).map(([part, value]) => [part, Float64Array.from(value.data, Number)]),
    );
  } finally {
    await session.close();
  }
}

const added = (a: Sums, b: Sums): Sums =>
  Object.fromEntries(Object.entries(b).map(([part, values]) => [part, values.map((v, i) => v + (a[part]?.[i] ?? 0))]));

const flat = (said: Said | undefined): (number | string)[] =>
  said === undefined ? [] : typeof said === "object" ? said.flatMap(flat) : [said];

/** Everything that is wrong with the metric on this case. @throws SpecError where it cannot be made */
export async function checkMetric(one: MetricGolden): Promise<Mismatches> {
  const metric = madeFrom<Metric>(metrics, one.metric);
  const found: Mismatches = [];
  let sums: Sums = {};
  for (const [i, batch] of one.batches.entries()) {
    sums = added(sums, await sumsOf(metric, batch, one.name));
    const said = one.values[i];
    const data = flat(said);
    const read = typeof said === "object" ? (metric.table?.(sums) ?? []).flat() : [metric.value(sums)];
    const golden = { shape: [data.length], data };
    found.push(
      ...mismatches(
        `after batch ${i + 1}`,
        { shape: [read.length], data: Float64Array.from(read) },
        golden,
        metricTolerance,
      ),
    );
  }
  return found;
}
