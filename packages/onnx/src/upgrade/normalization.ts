/** @file Normalizations, softmax and dropout of older operator sets. */
import { tensor } from "../tensor.ts";
import { floatOf, floatScalar, intList, intOf, rankOf, without } from "./attributes.ts";
import type { Step } from "./step.ts";

/** Before opset 13 the input is seen as a matrix, cut at attribute `axis` (1 when not said), and rows are normalized. */
export const softmaxOfMatrix: Step = (node, bench) => {
  const axis = intOf(node, bench, "axis") ?? 1;
  const [x] = node.inputs;
  const rank = rankOf(node, bench, 0);
  if (x === undefined || axis === -1 || axis === rank - 1) return { ...node, attributes: { axis: -1 } };
  const sizes = bench.insert("Shape", [x]);
  const matrix = bench.insert("Flatten", [x], { axis });
  const operator = node.operator === "LogSoftmax" ? "LogSoftmax" : node.operator === "Hardmax" ? "Hardmax" : "Softmax";
  const rows = bench.insert(operator, [matrix], { axis: -1 });
  return { ...node, operator: "Reshape", inputs: [rows, sizes], attributes: {} };
};

/** Before opset 7 a node trains unless attribute `is_test` is 1. */
export const testing: Step = (node, bench) =>
  intOf(node, bench, "is_test") === 1
    ? { ...node, attributes: without(node.attributes, "is_test") }
    : bench.refuse("it trains, as is_test is not 1");

/** Before opset 9 statistics may be kept for each element of a channel. */
export const batchNormalization: Step = (node, bench) => {
  if (intOf(node, bench, "spatial") === 0)
    return bench.refuse("statistics for each element (spatial 0) are not supported");
  return { ...node, attributes: without(node.attributes, "spatial") };
};

/** The ratio became an input in opset 12; until then nothing is dropped. */
export const dropout: Step = (node, bench) => {
  const [x] = node.inputs;
  const ratio = floatOf(node, bench, "ratio") ?? 0.5;
  const inputs = [x, floatScalar(bench, "ratio", "float32", ratio)];
  return { ...node, inputs, attributes: without(node.attributes, "ratio") };
};

/** Before opset 21 there is a scale and a bias for each group, since then for each channel. */
export const groupNormalization: Step = (node, bench) => {
  const [x, ...groups] = node.inputs;
  const channels = x?.shape[1];
  const count = intOf(node, bench, "num_groups") ?? 0;
  if (typeof channels !== "number" || count < 1 || channels % count !== 0)
    return bench.refuse("before opset 21 its channels must be known, and a multiple of num_groups");
  const sizes = intList(bench, "sizes", [count, channels / count]);
  const spread = groups.map((value) => {
    if (value === undefined) return undefined;
    const column = bench.insert("Unsqueeze", [value, intList(bench, "axes", [1])]);
    const repeated = bench.insert("Expand", [column, sizes]);
    return bench.insert("Reshape", [repeated, bench.constant("flat", tensor("int64", [1], BigInt64Array.of(-1n)))]);
  });
  return { ...node, inputs: [x, ...spread] };
};
