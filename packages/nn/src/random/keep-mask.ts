/** @file The hash of hash.ts written into a graph: which elements dropout keeps. Integer operators only, so it is exact. */
import { dtypeCode, type Value } from "@gristmill/onnx";
import { countElements, type GraphMath, sizesOf } from "../graph/graph-math.ts";
import { counterStride, mixFactors, mixShifts } from "./hash.ts";

/**
 * True where an element stays: with probability `1 - rate`, element i by `wordAt(key, i)`.
 * Shapes: as `like`, whose sizes are known; `key` is a uint32 scalar.
 */
export function keepMask(math: GraphMath, like: Value, key: Value, rate: number): Value {
  const { builder } = math;
  const word = (value: number): Value => builder.scalar(value, "uint32");
  const shifted = (h: Value, by: number): Value =>
    builder.op("BitwiseXor", [h, builder.op("BitShift", [h, word(by)], { direction: "RIGHT" })]);

  // The counters depend on nothing, so the runtime computes them once when it loads the graph.
  const bounds = [0, countElements(like), 1].map((bound) => builder.scalar(BigInt(bound), "int64"));
  const counters = builder.op("Cast", [builder.op("Range", bounds)], { to: dtypeCode("uint32") });
  let h = builder.op("Add", [builder.op("Mul", [counters, word(counterStride)]), key]);
  h = builder.op("Mul", [shifted(h, mixShifts[0]), word(mixFactors[0])]);
  h = builder.op("Mul", [shifted(h, mixShifts[1]), word(mixFactors[1])]);
  h = shifted(h, mixShifts[2]);
  const kept = builder.op("Less", [h, word(Math.min(2 ** 32 - 1, Math.round((1 - rate) * 2 ** 32)))]);
  return math.reshape(kept, sizesOf(like));
}
