/** @file How each operator is written with weights of 8 bits. */
import { dtypeCode } from "../dtype.ts";
import type { Node, Value } from "../graph/graph.ts";
import { settingsOf } from "../operators/settings.ts";
import { isUnknownShape, type Shape } from "../shape.ts";
import { tensor } from "../tensor.ts";
import type { FoundWeight, Frame } from "./frame.ts";
import { type QuantizedWeight, quantizeWeight, turned, type WeightBits } from "./weight.ts";

/** A node with a weight that can be quantized. */
export interface Site {
  readonly frame: Frame;
  readonly node: Node;
  readonly weight: FoundWeight;
  readonly weights: Float32Array;
  readonly bits: WeightBits;
}

/** Writes the node anew. Gives why not, where it cannot. */
export type Rewrite = (site: Site) => string | undefined;

const notFinite = "the weight has values that are not finite";
const float = dtypeCode("float32");

/** The axis of output channels in the weight of a node. */
function channelAxis(node: Node): number {
  if (node.operator === "MatMul") return 1;
  if (node.operator === "Gemm") return settingsOf("Gemm", node).transB === 0 ? 1 : 0;
  return 0;
}

/** A weight's whole numbers and scales as values, made once for all nodes that read the weight in the same way. "aligned" scales have the weight's number of axes. */
function kept({ weight, weights, bits }: Site, axis: number, arrange: "as it is" | "turned" | "aligned") {
  const { frame, name } = weight;
  const values = frame.once(`${name} ${axis} ${arrange}`, () => {
    const { shape } = weight.tensor;
    const quantized: QuantizedWeight | undefined = quantizeWeight(weights, shape, axis, bits);
    if (quantized === undefined) return [];
    const [rows = 1, columns = 1] = shape;
    const isTurned = arrange === "turned";
    const numbers = isTurned ? turned(quantized.numbers, rows, columns) : quantized.numbers;
    const { scales } = quantized;
    const aligned = shape.map((size, at) => (at === axis ? size : 1));
    return [
      frame.keep(`${name}.int8`, tensor("int8", isTurned ? [columns, rows] : shape, numbers)),
      frame.keep(`${name}.scale`, tensor("float32", arrange === "aligned" ? aligned : [scales.length], scales)),
    ];
  });
  const [numbers, scales] = values;
  return numbers === undefined || scales === undefined ? undefined : { numbers, scales };
}

/** The product of x with a weight [inputs, outputs] in whole numbers, as float32. */
function product(site: Site, x: Value, weight: { numbers: Value; scales: Value }, alpha: number): Value {
  const { frame, node } = site;
  const y = need(node.outputs[0]);
  const scalar = { dtype: "float32", shape: [] } as const;
  const [bytes, scale, zero] = frame.once(`${x.name} as bytes`, () =>
    frame.add(
      `${x.name}.bytes`,
      "DynamicQuantizeLinear",
      [x],
      [{ dtype: "uint8", shape: x.shape }, scalar, { dtype: "uint8", shape: [] }],
    ),
  );
  const whole = frame.add(
    `${node.name}/MatMulInteger`,
    "MatMulInteger",
    [need(bytes), weight.numbers, need(zero)],
    [{ dtype: "int32", shape: y.shape }],
  );
  const cast = frame.add(`${node.name}/Cast`, "Cast", whole, [y], { to: float });
  const columns = weight.scales.shape;
  const factor =
    alpha === 1
      ? need(scale)
      : one(frame.add(`${node.name}/alpha`, "Mul", [need(scale), constant(frame, alpha)], [scalar]));
  // scale times scales first: the runtime knows this pattern, and makes one kernel of all of it
  const scales = frame.add(
    `${node.name}/scales`,
    "Mul",
    [factor, weight.scales],
    [{ dtype: "float32", shape: columns }],
  );
  return one(frame.add(`${node.name}/product`, "Mul", [one(cast), one(scales)], [y]));
}

const constant = (frame: Frame, value: number): Value =>
  one(frame.once(`constant ${value}`, () => [frame.keep("constant", tensor("float32", [], Float32Array.of(value)))]));

/** A shape made of another one, where that is known. */
const known = (shape: Shape, make: (shape: Shape) => Shape): Shape => (isUnknownShape(shape) ? shape : make(shape));

const one = (values: readonly Value[]): Value => need(values[0]);

function need(value: Value | undefined): Value {
  if (value === undefined) throw new Error("a node without its first value was offered for quantization");
  return value;
}

/** Gives the node's output its value: the last node takes the output's name, so that its readers stay as they are. */
function finish({ frame, node }: Site, result: Value): undefined {
  const last = frame.nodes.at(-1);
  if (last?.outputs[0] !== result) throw new Error(`${result.name} is not what was made last`);
  frame.nodes[frame.nodes.length - 1] = { ...last, name: node.name, outputs: [need(node.outputs[0])] };
  return undefined;
}

/** Activations are quantized as they come, products are of whole numbers. */
export const dynamicRewrites: ReadonlyMap<string, Rewrite> = new Map<string, Rewrite>([
  [
    "MatMul",
    (site) => {
      const weight = kept(site, 1, "as it is");
      return weight === undefined ? notFinite : finish(site, product(site, need(site.node.inputs[0]), weight, 1));
    },
  ],
  [
    "Gemm",
    (site) => {
      const { frame, node } = site;
      const { alpha, beta, transA, transB } = settingsOf("Gemm", node);
      const weight = kept(site, transB === 0 ? 1 : 0, transB === 0 ? "as it is" : "turned");
      if (weight === undefined) return notFinite;
      const a = need(node.inputs[0]);
      const x =
        transA === 0
          ? a
          : one(
              frame.add(
                `${node.name}/Transpose`,
                "Transpose",
                [a],
                [{ dtype: a.dtype, shape: known(a.shape, ([rows = 1, columns = 1]) => [columns, rows]) }],
                { perm: [1, 0] },
              ),
            );
      const y = product(site, x, weight, alpha);
      const c = node.inputs[2];
      if (c === undefined || beta === 0) return finish(site, y);
      const bias = beta === 1 ? c : one(frame.add(`${node.name}/beta`, "Mul", [c, constant(frame, beta)], [c]));
      return finish(site, one(frame.add(`${node.name}/Add`, "Add", [y, bias], [need(node.outputs[0])])));
    },
  ],
  ["Gather", gatherRows],
]);

/** Rows are gathered as whole numbers, and only those become fractions again. */
function gatherRows(site: Site): string | undefined {
  const { frame, node } = site;
  const axis = settingsOf("Gather", node).axis;
  if (site.weight.tensor.shape.length !== 2 || axis !== 0)
    return "only rows of a matrix are gathered with a scale each";
  const weight = kept(site, 0, "aligned");
  if (weight === undefined) return notFinite;
  const y = need(node.outputs[0]);
  const indices = need(node.inputs[1]);
  const rows = frame.add(
    `${node.name}/rows`,
    "Gather",
    [weight.numbers, indices],
    [{ dtype: "int8", shape: y.shape }],
    { axis: 0 },
  );
  const scales = frame.add(
    `${node.name}/scales`,
    "Gather",
    [weight.scales, indices],
    [{ dtype: "float32", shape: known(indices.shape, (sizes) => [...sizes, 1]) }],
    { axis: 0 },
  );
  const cast = frame.add(`${node.name}/Cast`, "Cast", rows, [y], { to: float });
  return finish(site, one(frame.add(`${node.name}/product`, "Mul", [one(cast), one(scales)], [y])));
}

/**
 * The weight becomes fractions again, once for all that read it; the node stays. Cast and Mul, not DequantizeLinear: of that,
 * ONNX Runtime 1.30 makes products of whole numbers beyond its "basic" optimizations, and rounds activations too, unless the
 * session sets `session.qdq_matmulnbits_accuracy_level`, which whoever runs the file need not know. These two give the same
 * answers at every level, and are computed once, while the session loads.
 */
const restored: Rewrite = (site) => {
  const { node, weight } = site;
  const axis = channelAxis(node);
  const small = kept(site, axis, "aligned");
  if (small === undefined) return notFinite;
  const { shape } = weight.tensor;
  const like = { dtype: "float32", shape } as const;
  // where the weight lies, not in the body that reads it, so that no step of a loop does it again
  const { frame, name } = weight;
  const [back] = frame.once(`${name} ${axis} restored`, () => {
    const whole = one(frame.add(`${name}.whole`, "Cast", [small.numbers], [like], { to: float }));
    return frame.add(`${name}.restored`, "Mul", [whole, small.scales], [like]);
  });
  site.frame.nodes.push({ ...node, inputs: node.inputs.map((input, i) => (i === 1 ? back : input)) });
  return undefined;
};

/** Only weights are whole numbers, all sums are of fractions. */
export const weightOnlyRewrites: ReadonlyMap<string, Rewrite> = new Map<string, Rewrite>([
  ["MatMul", restored],
  ["Gemm", restored],
  ["Conv", restored],
  ["Gather", gatherRows],
]);
