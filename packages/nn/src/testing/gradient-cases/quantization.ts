/** @file Rounding and its way back. Rounding has a slope only across whole steps: x moves by exactly one step each way. */
import { type Tensor, tensor, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import type { GradientCase } from "../gradient-check.ts";
import { random } from "./make-case.ts";

const step = 2 ** -8;
/** Directions are walked by 0.004 in float32, so that one of this length moves a number by one step. */
const oneStep = step / 0.004;

const scales = (...values: number[]): Tensor => tensor("float32", [values.length], Float32Array.from(values));
const bytes = (shape: readonly number[], ...values: number[]): Tensor => tensor("int8", shape, Int8Array.from(values));

/** There and back with constant scales, as float32. */
const roundTrip = (name: string, places: readonly number[], shape: readonly number[], settings: Settings) =>
  ({
    name,
    dtype: "float32",
    // a quarter of a step off the grid: no number rounds to another side on its way
    inputs: [{ shape, values: places.map((place) => (place + 0.25) * step) }],
    directions: places.map((_, moved) => [places.map((_place, i) => (i === moved ? oneStep : 0))]),
    build: (math, x) => thereAndBack(math, x, settings),
  }) satisfies GradientCase;

interface Settings {
  readonly scale: Tensor;
  readonly zero?: Tensor;
  readonly axis?: number;
}

function thereAndBack({ builder }: GraphMath, x: Value, { scale, zero, axis = 1 }: Settings): Value {
  const rest = [builder.constant(scale), zero === undefined ? undefined : builder.constant(zero)];
  const type = zero === undefined ? { output_dtype: 3 } : {};
  const rounded = builder.op("QuantizeLinear", [x, ...rest], { axis, ...type });
  return builder.op("DequantizeLinear", [rounded, ...rest], { axis });
}

/** The slope along scales of whole numbers that are given. */
const alongScale = (name: string, count: number, numbers: Tensor, axis: number, zero?: Tensor): GradientCase => ({
  name,
  dtype: "float32",
  inputs: [random(count)],
  build: ({ builder }, scale) =>
    builder.op(
      "DequantizeLinear",
      [builder.constant(numbers), scale, zero === undefined ? undefined : builder.constant(zero)],
      { axis },
    ),
});

/** Cases of rounding. */
export const quantizationCases = {
  QuantizeLinear: [
    roundTrip("whole steps, and numbers beyond the ends", [0, 5, -7, 126, 200, -127, -300], [7], {
      scale: tensor("float32", [], Float32Array.of(step)),
      zero: tensor("int8", [], Int8Array.of(0)),
    }),
    roundTrip("a zero point moves the ends", [0, 100, 126, -28, -40], [5], {
      scale: tensor("float32", [], Float32Array.of(step)),
      zero: tensor("uint8", [], Uint8Array.of(30)),
    }),
    roundTrip("a scale for each column, one of which cuts off", [1, 2, 3, 4, 5, 400], [2, 3], {
      scale: scales(step, step, step),
      axis: -1,
    }),
    roundTrip("a scale for each row", [1, 2, 3, 4], [2, 2, 1], { scale: scales(step, step), axis: 0 }),
    {
      name: "a scale moves what is cut off",
      dtype: "float32",
      inputs: [{ shape: [1], values: [1] }],
      build: ({ builder }, scale) => {
        const x = builder.constant(tensor("float32", [2, 1], Float32Array.of(900, -900)));
        const rounded = builder.op("QuantizeLinear", [x, scale], { axis: 1, output_dtype: 3 });
        return builder.op("DequantizeLinear", [rounded, scale], { axis: 1 });
      },
    },
  ],
  DequantizeLinear: [
    alongScale("one scale", 1, bytes([3], 5, -128, 127), 0),
    alongScale("a scale for each row", 2, bytes([2, 3], 1, -2, 3, 0, 50, -128), 0, bytes([2], 3, -4)),
    alongScale("a scale for each column", 3, bytes([2, 3], 1, -2, 3, 0, 50, -128), -1),
  ],
} satisfies Readonly<Record<string, readonly GradientCase[]>>;
