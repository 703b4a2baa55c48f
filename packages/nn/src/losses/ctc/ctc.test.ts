import { createSession, GraphBuilder, model, ShapeError, tensor } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { gradients } from "../../autodiff/gradients.ts";
import { GraphMath } from "../../graph/graph-math.ts";
import { dense } from "../../layers/core/dense.ts";
import { Sequential } from "../../model/sequential.ts";
import { adam } from "../../optimizers/adam.ts";
import { keyOf, normalAt, uniformAt } from "../../random/hash.ts";
import { describeLoss } from "../../testing/describe-loss.ts";
import { ctcGreedyDecode } from "../../text/ctc-greedy.ts";
import { ctc } from "./ctc.ts";

const { exp, log, max } = Math;
const logSumExp = (list: readonly number[]): number => {
  const most = max(...list);
  return most === Number.NEGATIVE_INFINITY ? most : most + log(list.reduce((sum, value) => sum + exp(value - most), 0));
};
const logSoftmax = (row: readonly number[]): number[] => row.map((value) => value - logSumExp(row));

/** What a path spells: repeats are one, blanks are none. */
const spelled = (path: readonly number[], blank: number): string =>
  path.filter((label, i) => label !== path[i - 1] && label !== blank).join(",");

/** -log of the sum over every path that spells the labels, by trying all of them. */
function byAllPaths(rows: readonly (readonly number[])[], labels: readonly number[], blank = 0): number {
  let paths: { path: number[]; sum: number }[] = [{ path: [], sum: 0 }];
  for (const row of rows.map(logSoftmax))
    paths = paths.flatMap(({ path, sum }) => row.map((value, label) => ({ path: [...path, label], sum: sum + value })));
  return -logSumExp(paths.filter(({ path }) => spelled(path, blank) === labels.join(",")).map(({ sum }) => sum));
}

/** The same by the forward variables, in float64: for long ones. */
function byForward(rows: readonly (readonly number[])[], labels: readonly number[]): number {
  const states = [0, ...labels.flatMap((label) => [label, 0])];
  let now = states.map((_, s) => (s === 0 ? 0 : Number.NEGATIVE_INFINITY));
  rows.map(logSoftmax).forEach((row, t) => {
    const before = now;
    now = states.map((label, s) => {
      const isPassed = label !== 0 && label !== states[s - 2];
      const from =
        t === 0
          ? [s <= 1 ? 0 : Number.NEGATIVE_INFINITY]
          : [
              before[s] ?? 0,
              before[s - 1] ?? Number.NEGATIVE_INFINITY,
              isPassed ? (before[s - 2] ?? Number.NEGATIVE_INFINITY) : Number.NEGATIVE_INFINITY,
            ];
      return logSumExp(from) + (row[label] ?? 0);
    });
  });
  return -logSumExp(now.slice(-2));
}

const seed = 11;
const rowsAt = (what: number, steps: number, classes: number): number[][] =>
  Array.from({ length: steps }, (_, t) =>
    Array.from({ length: classes }, (_v, c) => 1.5 * normalAt(keyOf(seed, what), t * classes + c)),
  );

const [four, other, three] = [rowsAt(1, 4, 3), rowsAt(2, 4, 3), rowsAt(3, 3, 3)];

// the runner gives as many labels as times where maxLabels is not said
const of =
  (settings: Readonly<Record<string, unknown>> = {}) =>
  () =>
    ctc({ maxLabels: 2, ...settings }).value;
describeLoss("ctc", of(), [
  { name: "two labels", shape: [1, 4, 3], values: four.flat(), target: [1, 2], expected: [byAllPaths(four, [1, 2])] },
  {
    name: "the same label twice needs a blank between",
    shape: [1, 4, 3],
    values: four.flat(),
    target: [2, 2],
    expected: [byAllPaths(four, [2, 2])],
  },
  {
    name: "just enough times",
    shape: [1, 3, 3],
    values: three.flat(),
    target: [1, 1],
    expected: [byAllPaths(three, [1, 1])],
  },
  {
    name: "one label, filled up with -1, and one with the blank",
    shape: [2, 4, 3],
    values: [...four, ...other].flat(),
    target: [2, -1, 1, 0],
    expected: [byAllPaths(four, [2]), byAllPaths(other, [1])],
  },
  { name: "no label", shape: [1, 4, 3], values: four.flat(), target: [-1, 1], expected: [byAllPaths(four, [])] },
  {
    name: "lengths from a mask",
    shape: [2, 4, 3],
    values: [...four, ...other].flat(),
    target: [1, 2, 2, -1],
    mask: { shape: [2, 4], data: [1, 1, 1, 0, 1, 1, 0, 0] },
    expected: [byAllPaths(four.slice(0, 3), [1, 2]), byAllPaths(other.slice(0, 2), [2])],
  },
  {
    name: "after a softmax",
    after: "Softmax",
    shape: [1, 4, 3],
    values: four.flat(),
    target: [1, 2],
    expected: [byAllPaths(four, [1, 2])],
  },
  {
    name: "sure and right, sure and wrong",
    shape: [2, 2, 2],
    values: [-40, 40, 40, -40, 40, -40, 40, -40],
    target: [1, -1, 1, -1],
    expected: [0, 80 - log(2)],
    bends: true,
  },
]);
describeLoss("ctc, one time and one label", of({ maxLabels: 1 }), [
  { name: "must be it", shape: [1, 1, 2], values: [0, log(3)], target: [1], expected: [log(4 / 3)] },
]);
describeLoss("ctc, the blank last", of({ blank: "last" }), [
  {
    name: "two labels, and one filled up with the blank",
    shape: [2, 4, 3],
    values: [...four, ...other].flat(),
    target: [0, 1, 0, 2],
    expected: [byAllPaths(four, [0, 1], 2), byAllPaths(other, [0], 2)],
  },
]);
describeLoss("ctc, probabilities", of({ fromLogits: false, maxLabels: 1 }), [
  {
    name: "of two times",
    shape: [1, 2, 2],
    values: [0.25, 0.75, 0.5, 0.5],
    target: [1],
    expected: [-log(1 - 0.25 * 0.5)],
  },
]);

/** Losses and gradient of their sum. */
async function run(
  settings: Readonly<Record<string, unknown>>,
  shape: readonly number[],
  values: readonly number[],
  target: readonly number[],
  mask?: readonly number[],
) {
  const builder = new GraphBuilder("ctc");
  const math = new GraphMath(builder);
  const [batch = 1] = shape;
  const x = builder.input("x", "float32", shape);
  const given = (data: readonly number[]) =>
    builder.constant(tensor("int32", [batch, data.length / batch], Int32Array.from(data)));
  const heard = mask && math.cast(given(mask), "bool");
  const loss = ctc(settings).value.perAnswer({
    math,
    output: x,
    logits: undefined,
    target: given(target),
    mask: heard,
  });
  const [slope] = gradients(math, { value: loss, gradient: math.filled([batch], 1, "float32") }, [x]);
  builder.output(loss, "loss");
  if (slope !== undefined) builder.output(slope, "slope");
  const session = await createSession(model(builder.build()), { threads: 1 });
  const { outputs } = await session.run({ x: tensor("float32", shape, Float32Array.from(values)) });
  await session.close();
  return {
    loss: Array.from(outputs["loss"]?.data ?? [], Number),
    slope: Array.from(outputs["slope"]?.data ?? [], Number),
  };
}

describe("ctc of labels that don't fit", () => {
  const values = [...three, ...three].flat();
  const target = [1, 2, 1, 1, 1, 2]; // the second needs four times

  it("costs 1e30 and has no gradient; its neighbours keep theirs", async () => {
    const { loss, slope } = await run({}, [2, 3, 3], values, target);
    expect(loss[0]).toBeCloseTo(byAllPaths(three, [1, 2, 1]), 4);
    expect(loss[1]).toBe(Math.fround(1e30));
    expect(slope.slice(9)).toEqual(Array.from({ length: 9 }, () => 0));
    expect(slope.slice(0, 9).some((value) => Math.abs(value) > 0.1)).toBe(true);
  });

  it("costs nothing with zeroInfinity", async () => {
    const { loss, slope } = await run({ zeroInfinity: true }, [2, 3, 3], values, target);
    expect(loss[1]).toBe(0);
    expect(slope.slice(9)).toEqual(Array.from({ length: 9 }, () => 0));
  });

  it("a sequence of padding alone spells nothing: free for an empty list, impossible for another", async () => {
    const { loss, slope } = await run({}, [2, 3, 3], values, [-1, 1], [0, 0, 0, 0, 0, 0]);
    expect(loss).toEqual([0, Math.fround(1e30)]);
    expect(slope.every((value) => value === 0)).toBe(true);
  });
});

describe("ctc of long sequences", () => {
  it("is right over 200 times and 40 labels, with a gradient of 0 at what is padding", async () => {
    const [steps, classes, heard] = [200, 12, 150];
    const rows = [rowsAt(4, steps, classes), rowsAt(5, steps, classes)];
    const labels = [6, 7].map((key) =>
      Array.from({ length: 40 }, (_, i) => 1 + Math.floor(uniformAt(keyOf(seed, key), i) * (classes - 1))),
    );
    const mask = [0, 1].flatMap((i) => Array.from({ length: steps }, (_, t) => (i === 0 || t < heard ? 1 : 0)));
    const { loss, slope } = await run({}, [2, steps, classes], rows.flat(2), labels.flat(), mask);
    const expected = [
      byForward(rows[0] ?? [], labels[0] ?? []),
      byForward(rows[1]?.slice(0, heard) ?? [], labels[1] ?? []),
    ];
    expected.forEach((value, i) => void expect(Math.abs((loss[i] ?? 0) / value - 1)).toBeLessThan(1e-5));
    // softmax less shares: each heard time sums to 0, padding is 0
    const sums = Array.from({ length: 2 * steps }, (_, t) =>
      slope.slice(t * classes, (t + 1) * classes).reduce((a, b) => a + b, 0),
    );
    expect(Math.max(...sums.map(Math.abs))).toBeLessThan(1e-3);
    expect(slope.slice((steps + heard) * classes).every((value) => value === 0)).toBe(true);
  });

  it("does not lose a way that is 1e-60 times as likely as others at each of many times", async () => {
    const rows = Array.from({ length: 6 }, () => [70, -70, 0]);
    const { loss } = await run({}, [1, 6, 3], rows.flat(), [1, 1]);
    expect(Math.abs((loss[0] ?? 0) / byAllPaths(rows, [1, 1]) - 1)).toBeLessThan(1e-5);
  });
});

describe("a model trained with ctc", () => {
  it("learns to spell, whether it ends in logits or in a softmax", async () => {
    // each label is said for two times by its own feature; feature 0 is silence
    const said = [
      [1, 1, 0, 2, 2, 0],
      [2, 2, 0, 0, 1, 1],
      [1, 1, 0, 1, 1, 0],
      [0, 0, 2, 2, 0, 0],
    ];
    const x = said.map((path) => path.map((label) => [0, 1, 2].map((feature) => (feature === label ? 1 : 0))));
    const y = [
      [1, 2],
      [2, 1],
      [1, 1],
      [2, -1],
    ];
    for (const last of ["linear", "softmax"] as const) {
      const made = new Sequential([dense(3, { inputShape: [6, 3], activation: last })], { seed: 2 });
      made.compile({ optimizer: adam({ learningRate: 0.3 }), loss: ctc({ maxLabels: 2 }) });
      await made.fit(x, y, { epochs: 30, batchSize: 2, threads: 1 });
      expect((await made.evaluate(x, y, { batchSize: 3, threads: 1 })).loss).toBeLessThan(0.1);
      expect(ctcGreedyDecode(await made.predict(x, { threads: 1 }))).toEqual([[1, 2], [2, 1], [1, 1], [2]]);
      await made.close();
    }
  });
});

describe("ctc", () => {
  it("by forward variables is by all paths", () => {
    expect(byForward(four, [1, 1])).toBeCloseTo(byAllPaths(four, [1, 1]), 10);
  });

  it("tells what it wants", () => {
    const target = (shape: readonly number[], settings: Readonly<Record<string, unknown>> = {}) =>
      ctc(settings).value.target(shape);
    expect(target([200, 30])).toEqual({ dtype: "int32", shape: [200], classes: 30, padding: -1, lossShape: [] });
    expect(target([200, 30], { maxLabels: 40 }).shape).toEqual([40]);
    expect(() => target([30])).toThrow(ShapeError);
    expect(() => target([30])).toThrow(
      "expected an output of [time, classes] with 2 classes or more, the blank among them, received [30]",
    );
    // @ts-expect-error a word is expected
    expect(() => ctc({ blank: 0 })).toThrow('ctc.blank: expected one of "first", "last", received 0');
  });
});
