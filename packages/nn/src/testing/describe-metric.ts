/** @file What every metric must hold. A new metric gets its tests by one call. */
import { createSession, GraphBuilder, model, type Tensor, tensor } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { logitsOf } from "../compile/forward.ts";
import { GraphMath } from "../graph/graph-math.ts";
import type { AccuracyKind } from "../losses/loss.ts";
import type { Metric, Sums } from "../metrics/metric.ts";

/** Outputs and answers, and what a metric says of them, worked out by hand. */
export interface MetricCase {
  readonly name: string;
  /** The activation that made the outputs: then `values` are its inputs. */
  readonly after?: "Softmax" | "Sigmoid";
  /** [batch, outputs] */
  readonly shape: readonly [number, number];
  readonly values: readonly number[];
  /** One label an answer where there are as many as answers and several outputs; else one number an output. */
  readonly target: readonly number[];
  readonly expected: number;
  readonly table?: readonly (readonly number[])[];
}

interface Data {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly target: readonly number[];
  readonly isSparse: boolean;
  /** [batch, steps] */
  readonly mask?: readonly number[];
}

const floats = (shape: readonly number[], values: readonly number[]): Tensor =>
  tensor("float32", shape, Float32Array.from(values));

/** The sums of one batch, as a program of any batch size writes them. */
async function sumsOf(metric: Metric, after: MetricCase["after"], { shape, values, target, isSparse, mask }: Data) {
  const builder = new GraphBuilder("metric");
  const math = new GraphMath(builder);
  const outer = ["batch", ...shape.slice(1)];
  const x = builder.input("x", "float32", outer);
  const output = after === undefined ? x : builder.op(after, [x]);
  const truth = isSparse ? outer.slice(0, -1) : outer;
  const kind: AccuracyKind = isSparse ? "sparseCategorical" : shape.at(-1) === 1 ? "binary" : "categorical";
  const weights = mask && builder.input("mask", "float32", outer.slice(0, 2));
  const written = metric.sums({
    math,
    output,
    logits: logitsOf(math, output),
    target: builder.input("y", isSparse ? "int32" : "float32", truth),
    mask: weights && math.cast(weights, "bool"),
    kind,
    weights,
  });
  for (const [name, value] of Object.entries(written)) {
    expect(value.dtype).toBe("float32");
    expect(value.shape.every((size) => typeof size === "number")).toBe(true);
    builder.output(value, name);
  }
  const session = await createSession(model(builder.build()), { threads: 1 });
  const answers = isSparse ? shape.slice(0, -1) : shape;
  const { outputs } = await session.run({
    x: floats(shape, values),
    y: isSparse ? tensor("int32", answers, Int32Array.from(target)) : floats(answers, target),
    ...(mask && { mask: floats(shape.slice(0, 2), mask) }),
  });
  await session.close();
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, Float64Array.from(data, Number)]));
}

const added = (a: Sums, b: Sums): Sums =>
  Object.fromEntries(
    Object.entries(b).map(([name, list]) => [name, list.map((value, i) => value + (a[name]?.[i] ?? 0))]),
  );

/** Runs the suite. */
export function describeMetric(type: string, make: () => Metric, cases: readonly MetricCase[]): void {
  describe.each(cases.map((one) => [one.name, one] as const))(`${type}, %s`, (_name, one) => {
    const [batch, width] = one.shape;
    const isSparse = width > 1 && one.target.length === batch;
    const perAnswer = isSparse ? 1 : width;
    const whole: Data = { ...one, isSparse };
    const metric = make();

    it("is what the formula says", async () => {
      const sums = await sumsOf(metric, one.after, whole);
      expect(metric.value(sums)).toBeCloseTo(one.expected, 5);
      if (one.table !== undefined) {
        const rows = metric.table?.(sums) ?? [];
        expect(rows.length).toBe(one.table.length);
        one.table.forEach((row, i) => {
          expect(rows[i]).toHaveLength(row.length);
          row.forEach((value, j) => void expect(rows[i]?.[j]).toBeCloseTo(value, 5));
        });
      }
    });

    it("is the same from one answer at a time", async () => {
      let sums: Sums = {};
      for (let i = 0; i < batch; i++) {
        const values = one.values.slice(i * width, (i + 1) * width);
        const target = one.target.slice(i * perAnswer, (i + 1) * perAnswer);
        sums = added(sums, await sumsOf(metric, one.after, { shape: [1, width], values, target, isSparse }));
      }
      expect(metric.value(sums)).toBeCloseTo(one.expected, 5);
    });

    // each answer becomes a sequence of itself and a step of padding, which is NaN
    const padding = Array.from({ length: width }, () => Number.NaN);
    const padded = (mask: readonly number[]): Data => ({
      shape: [batch, 2, width],
      values: Array.from({ length: batch }, (_, i) => [
        ...one.values.slice(i * width, (i + 1) * width),
        ...padding,
      ]).flat(),
      target: Array.from({ length: batch }, (_, i) => [
        ...one.target.slice(i * perAnswer, (i + 1) * perAnswer),
        ...Array.from({ length: perAnswer }, () => 0),
      ]).flat(),
      isSparse,
      mask: Array.from({ length: batch }, () => mask).flat(),
    });

    it("sees nothing of what a mask drops", async () => {
      expect(metric.value(await sumsOf(metric, one.after, padded([1, 0])))).toBeCloseTo(one.expected, 5);
    });

    it("of nothing is not a number, or counts 0", async () => {
      const value = metric.value(await sumsOf(metric, one.after, padded([0, 0])));
      expect(Number.isNaN(value) || (value === 0 && type.endsWith("tives"))).toBe(true);
    });
  });
}
