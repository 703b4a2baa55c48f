import { describeLayer } from "../../testing/describe-layer.ts";
import { groupedQueryAttention } from "./grouped-query-attention.ts";
import { multiHeadAttention } from "./multi-head-attention.ts";
import { rotaryPositions } from "./rotary-positions.ts";

/** Shapes of kernels and biases by part. */
const weights = (shapes: Readonly<Record<string, readonly [readonly number[], readonly number[]]>>, useBias = true) =>
  Object.fromEntries(
    Object.entries(shapes).flatMap(([part, [from, to]]) => [
      [`${part}/kernel`, [...from, ...to]],
      ...(useBias ? [[`${part}/bias`, [...to]]] : []),
    ]),
  );

describeLayer("multiHeadAttention", [
  {
    name: "to itself",
    make: () => multiHeadAttention(2, 3),
    input: [4, 5],
    output: [4, 5],
    weights: weights({
      query: [[5], [2, 3]],
      key: [[5], [2, 3]],
      value: [[5], [2, 3]],
      attention_output: [[2, 3], [5]],
    }),
    anyLength: [0],
    wrongInput: [5],
  },
  {
    name: "to another sequence, with sizes of its own, without bias",
    make: () => multiHeadAttention(2, 3, { valueDim: 2, outputShape: [2, 3], useBias: false }),
    inputs: [
      [3, 5],
      [4, 6],
    ],
    output: [3, 2, 3],
    weights: weights(
      {
        query: [[5], [2, 3]],
        key: [[6], [2, 3]],
        value: [[6], [2, 2]],
        attention_output: [
          [2, 2],
          [2, 3],
        ],
      },
      false,
    ),
    anyLength: [0],
  },
  {
    name: "causal, rotary, dropping weights",
    make: () => multiHeadAttention(2, 4, { useCausalMask: true, rotary: { base: 100, scaling: 2 }, dropout: 0.3 }),
    input: [4, 5],
    output: [4, 5],
    weights: weights({
      query: [[5], [2, 4]],
      key: [[5], [2, 4]],
      value: [[5], [2, 4]],
      attention_output: [[2, 4], [5]],
    }),
    anyLength: [0],
  },
]);

describeLayer("groupedQueryAttention", [
  {
    name: "causal, rotary",
    make: () => groupedQueryAttention(2, 4, 2, { useCausalMask: true, rotary: { interleaved: true } }),
    input: [3, 5],
    output: [3, 5],
    weights: weights({
      query: [[5], [4, 2]],
      key: [[5], [2, 2]],
      value: [[5], [2, 2]],
      attention_output: [[4, 2], [5]],
    }),
    anyLength: [0],
    wrongInput: [3, 5, 1],
  },
  {
    name: "one head of keys, of three inputs",
    make: () => groupedQueryAttention(3, 2, 1, { useBias: false }),
    inputs: [
      [3, 4],
      [5, 6],
      [5, 2],
    ],
    output: [3, 4],
    weights: weights(
      { query: [[4], [2, 3]], key: [[2], [1, 3]], value: [[6], [1, 3]], attention_output: [[2, 3], [4]] },
      false,
    ),
    anyLength: [0],
  },
]);

describeLayer("rotaryPositions", [
  {
    name: "heads of 4",
    make: () => rotaryPositions(4),
    input: [5, 8],
    output: [5, 8],
    anyLength: [0],
    wrongInput: [5, 6],
  },
  {
    name: "neighbours",
    make: () => rotaryPositions(4, { interleaved: true }),
    input: [5, 8],
    output: [5, 8],
    anyLength: [0],
  },
]);
