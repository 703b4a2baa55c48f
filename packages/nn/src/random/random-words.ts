/**
 * @file The hash of random/hash.ts written into a graph: random numbers that a resumed run makes again. Integer operators
 * only, so the words are exact; what is made of them is as exact as its operators.
 */
import { dtypeCode, type Value } from "@gristmill/onnx";
import { type GraphMath, sizesOf } from "../graph/graph-math.ts";
import { countOf } from "../initializers/initializer.ts";
import { counterStride, mixFactors, mixShifts } from "./hash.ts";

/** `wordAt(key, first + step * i)` for i from 0: uint32 [count]; `key` is a uint32 scalar. */
export function randomWords(math: GraphMath, key: Value, count: number, first = 0, step = 1): Value {
  const { builder } = math;
  const word = (value: number): Value => builder.scalar(value, "uint32");
  const shifted = (h: Value, by: number): Value =>
    builder.op("BitwiseXor", [h, builder.op("BitShift", [h, word(by)], { direction: "RIGHT" })]);
  // the counters depend on nothing, so the runtime computes them once when it loads the graph
  const bounds = [first, first + step * count, step].map((bound) => builder.scalar(BigInt(bound), "int64"));
  const counters = builder.op("Cast", [builder.op("Range", bounds)], { to: dtypeCode("uint32") });
  let h = builder.op("Add", [builder.op("Mul", [counters, word(counterStride)]), key]);
  h = builder.op("Mul", [shifted(h, mixShifts[0]), word(mixFactors[0])]);
  h = builder.op("Mul", [shifted(h, mixShifts[1]), word(mixFactors[1])]);
  return shifted(h, mixShifts[2]);
}

/** True with probability `1 - rate`, for known sizes: bool. Element i by `wordAt(key, i)`. */
export function keptPlaces(math: GraphMath, key: Value, sizes: readonly number[], rate: number): Value {
  const limit = math.builder.scalar(Math.min(2 ** 32 - 1, Math.round((1 - rate) * 2 ** 32)), "uint32");
  return math.reshape(math.builder.op("Less", [randomWords(math, key, countOf(sizes)), limit]), sizes);
}

/** `keptPlaces` for every element of a value of known sizes. */
export const keepMask = (math: GraphMath, like: Value, key: Value, rate: number): Value =>
  keptPlaces(math, key, sizesOf(like), rate);

/**
 * Standard normal numbers of known sizes, of the element type of `like`: element i by `normalAt(key, i)` of
 * random/hash.ts, to the 24 bits that float32 keeps of a word (Box and Muller 1958).
 */
export function normalNumbers(math: GraphMath, key: Value, sizes: readonly number[], like: Value): Value {
  const { builder } = math;
  const count = countOf(sizes);
  const [one, other] = [0, 1].map((first) => {
    const words = randomWords(math, key, count, first, 2);
    return math.mul(math.cast(words, like.dtype), 1 / 2 ** 32); // from 0 to 1
  });
  if (one === undefined || other === undefined) throw new Error("normalNumbers: made no words");
  // half a step above 0 and below 1: the logarithm of 0 is infinite
  const inside = math.add(math.mul(one, 1 - 2 ** -31), 2 ** -32);
  const radius = math.sqrt(math.mul(math.log(inside), -2));
  const normal = math.mul(radius, builder.op("Cos", [math.mul(other, 2 * Math.PI)]));
  return math.reshape(normal, sizes);
}
