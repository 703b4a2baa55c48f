/** @file A stack of equal transformer blocks and its gradients, to see what computing blocks twice saves and keeps. */
import { GraphBuilder, type Model, model, type Tensor, tensor, type Value } from "@gristmill/onnx";
import { GraphMath } from "../../graph/graph-math.ts";
import { prune } from "../../graph/prune.ts";
import { keyOf, normalAt } from "../../random/hash.ts";
import { gradients } from "../gradients.ts";

/** Sizes of a stack. */
export interface StackSizes {
  readonly layers: number;
  readonly batch: number;
  readonly time: number;
  readonly width: number;
  readonly heads: number;
}

/** A model whose outputs are "loss" and the gradient of each weight, and what to feed it. */
export interface Stack {
  readonly model: Model;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** Writes the stack. `recompute`: whether its blocks are computed a second time on the way back. */
export function deepStack(sizes: StackSizes, recompute: boolean): Stack {
  const { layers, batch, time, width } = sizes;
  const builder = new GraphBuilder("stack");
  const math = new GraphMath(builder);
  const weights: Value[] = [];
  const weight = (name: string, shape: readonly number[]): Value => {
    const value = builder.input(name, "float32", shape);
    weights.push(value);
    return value;
  };
  let x = builder.input("x", "float32", [batch, time, width]);
  const scopes = Array.from({ length: layers }, (_, i) => `block_${i}`);
  for (const scope of scopes)
    x = builder.within(scope, () => block(math, x, sizes, (name, shape) => weight(`${scope}.${name}`, shape)));
  const loss = math.mean(math.mul(x, x), [0, 1, 2]);
  const options = recompute ? { recompute: scopes } : {};
  const slopes = gradients(math, { value: loss, gradient: math.scalar(1, loss) }, weights, options);
  builder.output(loss, "loss");
  slopes.forEach((slope, i) => void builder.output(slope, `d.${weights[i]?.name}`));
  const feeds = [...builder.build().inputs].map(
    ({ name, shape }, i) => [name, randomTensor(i, shape.map(Number))] as const,
  );
  return { model: model(prune(builder.build())), feeds: Object.fromEntries(feeds) };
}

function randomTensor(stream: number, shape: readonly number[]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const scale = shape.length === 2 ? 1 / Math.sqrt(shape[0] ?? 1) : 1;
  return tensor(
    "float32",
    shape,
    Float32Array.from({ length: count }, (_, i) => scale * normalAt(keyOf(7, stream), i)),
  );
}

type Weight = (name: string, shape: readonly number[]) => Value;

/** Attention, then two dense layers with gelu; each behind a layer normalization and around a shortcut. */
function block(math: GraphMath, x: Value, { batch, time, width, heads }: StackSizes, weight: Weight): Value {
  const { builder } = math;
  const size = width / heads;
  const dense = (input: Value, name: string, units: number): Value => {
    const kernel = weight(name, [input.shape.at(-1) as number, units]);
    return math.add(builder.op("MatMul", [input, kernel]), weight(`${name}.bias`, [units]));
  };
  const normal = (input: Value, name: string): Value =>
    builder.ops(
      "LayerNormalization",
      [input, weight(`${name}.scale`, [width]), weight(`${name}.bias`, [width])],
      {},
      3,
    )[0] ?? input;
  const rows = normal(x, "before");
  const split = (name: string): Value =>
    math.transpose(math.reshape(dense(rows, name, width), [batch, time, heads, size]), [0, 2, 1, 3]);
  const scores = math.mul(
    builder.op("MatMul", [split("query"), math.transpose(split("key"), [0, 1, 3, 2])]),
    1 / Math.sqrt(size),
  );
  const mixed = builder.op("MatMul", [builder.op("Softmax", [scores], { axis: -1 }), split("value")]);
  const joined = math.reshape(math.transpose(mixed, [0, 2, 1, 3]), [batch, time, width]);
  const middle = math.add(x, dense(joined, "out", width));
  const hidden = builder.op("Gelu", [dense(normal(middle, "between"), "up", 4 * width)]);
  return math.add(middle, dense(hidden, "down", width));
}
