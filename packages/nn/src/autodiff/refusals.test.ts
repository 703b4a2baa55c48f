import { createSession, GraphBuilder, model, tensor, type Value } from "@gristmill/onnx";
import { expect, it } from "vitest";
import { GraphMath } from "../graph/graph-math.ts";
import { prune } from "../graph/prune.ts";
import { GradientError } from "./gradient-error.ts";
import { gradients } from "./gradients.ts";

type Write = (math: GraphMath, input: (name: string, ...shape: number[]) => Value) => Value;

/** The gradients of all inputs, all outputs moving alike. */
function differentiated(write: Write): () => Value[] {
  const builder = new GraphBuilder();
  const math = new GraphMath(builder);
  const inputs: Value[] = [];
  const y = write(math, (name, ...shape) => {
    const value = builder.input(name, "float32", shape);
    inputs.push(value);
    return value;
  });
  return () => gradients(math, { value: y, gradient: y }, inputs);
}

const refusals: Readonly<Record<string, readonly [Write, string]>> = {
  "dropout that hides what it kept": [
    ({ builder }, input) => builder.op("Dropout", [input("x", 4), builder.scalar(0.5), builder.scalar(true, "bool")]),
    "write the node with its second output, the mask",
  ],
  "attention with a past": [
    ({ builder }, input) => {
      const [q, past] = [input("q", 1, 2, 3, 4), input("past", 1, 2, 5, 4)];
      return builder.op("Attention", [q, q, q, undefined, past, past]);
    },
    "past keys, past values and lengths are for generation: leave them out to train",
  ],
  "a recurrence that clips": [
    ({ builder }, input) =>
      builder.op("GRU", [input("x", 2, 1, 3), input("w", 1, 6, 3), input("r", 1, 6, 2)], { clip: 1 }),
    "attributes clip, activation_alpha and activation_beta have no rule",
  ],
  "a recurrence of another activation": [
    ({ builder }, input) =>
      builder.op("RNN", [input("x", 2, 1, 3), input("w", 1, 2, 3), input("r", 1, 2, 2)], { activations: ["Softsign"] }),
    "expected activations Sigmoid, Tanh, Relu, received Softsign",
  ],
  "indices that only the run knows": [
    (math, input) => {
      const places = math.cast(input("places", 2), "int64");
      return math.builder.op("ReduceSum", [input("x", 2, 2), places], { keepdims: 1 });
    },
    "ReduceSum: ReduceSum has no gradient here: input 1 must be a constant",
  ],
};

it.each(Object.entries(refusals))("%s is refused with a way out", (_name, [write, message]) => {
  expect(differentiated(write)).toThrow(GradientError);
  expect(differentiated(write)).toThrow(message);
  expect(differentiated(write)).toThrow("freeze all before");
});

it("dropout's gradient goes where its mask kept, scaled as it scaled", async () => {
  const builder = new GraphBuilder();
  const math = new GraphMath(builder);
  const x = builder.input("x", "float32", [1000]);
  const inputs = [x, builder.scalar(0.25), builder.scalar(true, "bool")];
  const [y] = builder.ops("Dropout", inputs, { seed: 5 }, 2);
  if (y === undefined) throw new Error("no output");
  const [dx] = gradients(math, { value: y, gradient: math.filled([1000], 1, "float32") }, [x]);
  if (dx === undefined) throw new Error("no gradient");
  builder.output(y, "y");
  builder.output(dx, "dx");
  const session = await createSession(model(prune(builder.build())), { threads: 1 });
  const { outputs } = await session.run({ x: tensor("float32", [1000], new Float32Array(1000).fill(1)) });
  await session.close();
  const [here, slope] = [outputs["y"]?.data as Float32Array, outputs["dx"]?.data as Float32Array];
  slope.forEach((value, i) => void expect(value).toBeCloseTo(here[i] ?? Number.NaN, 5)); // y = x dx, and x is 1
  expect(new Set(slope).size).toBe(2);
});

it("a pool of nothing but NaN gives a gradient, and the process lives", async () => {
  const builder = new GraphBuilder();
  const math = new GraphMath(builder);
  const x = builder.input("x", "float32", [1, 1, 4, 4]);
  const y = builder.op("MaxPool", [x], { kernel_shape: [2, 2], strides: [2, 2] });
  const [dx] = gradients(math, { value: y, gradient: math.filled([1, 1, 2, 2], 1, "float32") }, [x]);
  if (dx === undefined) throw new Error("no gradient");
  builder.output(dx, "dx");
  const session = await createSession(model(prune(builder.build())), { threads: 1 });
  const { outputs } = await session.run({ x: tensor("float32", [1, 1, 4, 4], new Float32Array(16).fill(Number.NaN)) });
  await session.close();
  const slope = outputs["dx"]?.data as Float32Array;
  expect(slope.reduce((a, b) => a + b)).toBe(4);
});

it("batches without samples have gradients of zeros", async () => {
  const builder = new GraphBuilder();
  const math = new GraphMath(builder);
  const x = builder.input("x", "float32", [0, 3]);
  const w = builder.input("w", "float32", [3, 2]);
  const y = builder.op("Softmax", [builder.op("MatMul", [x, w])]);
  const [dw] = gradients(math, { value: y, gradient: math.filled([0, 2], 1, "float32") }, [w]);
  if (dw === undefined) throw new Error("no gradient");
  builder.output(dw, "dw");
  const session = await createSession(model(prune(builder.build())), { threads: 1 });
  const { outputs } = await session.run({
    x: tensor("float32", [0, 3], new Float32Array()),
    w: tensor("float32", [3, 2], new Float32Array(6).fill(1)),
  });
  await session.close();
  expect(Array.from(outputs["dw"]?.data as Float32Array)).toEqual([0, 0, 0, 0, 0, 0]);
});
