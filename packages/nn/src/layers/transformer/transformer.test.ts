import { describeLayer } from "../../testing/describe-layer.ts";
import { llamaDecoder } from "./llama-decoder.ts";
import { swiGlu } from "./swi-glu.ts";
import { transformer } from "./transformer.ts";
import { transformerDecoder } from "./transformer-decoder.ts";
import { transformerEncoder } from "./transformer-encoder.ts";

const attention = (part: string, width: number, heads: number, memory = width) => {
  const head = [heads, width / heads];
  return {
    [`${part}/query/kernel`]: [width, ...head],
    [`${part}/query/bias`]: head,
    [`${part}/key/kernel`]: [memory, ...head],
    [`${part}/key/bias`]: head,
    [`${part}/value/kernel`]: [memory, ...head],
    [`${part}/value/bias`]: head,
    [`${part}/attention_output/kernel`]: [...head, width],
    [`${part}/attention_output/bias`]: [width],
  };
};
const norm = (part: string, width: number) => ({ [`${part}/gamma`]: [width], [`${part}/beta`]: [width] });
const dense = (part: string, from: number, to: number) => ({ [`${part}/kernel`]: [from, to], [`${part}/bias`]: [to] });
const feedForward = (width: number, inner: number) => ({
  ...dense("feedforward_intermediate", width, inner),
  ...dense("feedforward_output", inner, width),
});
const encoder = (width: number, heads: number, inner: number) => ({
  ...attention("self_attention", width, heads),
  ...norm("self_attention_norm", width),
  ...feedForward(width, inner),
  ...norm("feedforward_norm", width),
});
const inside = (part: string, weights: Readonly<Record<string, readonly number[]>>) =>
  Object.fromEntries(Object.entries(weights).map(([name, shape]) => [`${part}/${name}`, shape]));

describeLayer("transformerEncoder", [
  {
    name: "by default",
    make: () => transformerEncoder(5, 2, { activation: "tanh" }),
    input: [3, 4],
    output: [3, 4],
    weights: encoder(4, 2, 5),
    anyLength: [0],
    wrongInput: [3, 5],
  },
  {
    name: "causal, normalized first, dropping, rotary",
    make: () =>
      transformerEncoder(5, 2, {
        activation: "tanh",
        normalizeFirst: true,
        dropout: 0.2,
        useCausalMask: true,
        rotary: {},
      }),
    input: [3, 4],
    output: [3, 4],
    weights: {
      ...norm("self_attention_norm", 4),
      ...attention("self_attention", 4, 2),
      ...norm("feedforward_norm", 4),
      ...feedForward(4, 5),
    },
    anyLength: [0],
  },
]);

describeLayer("transformerDecoder", [
  {
    name: "alone",
    make: () => transformerDecoder(5, 2, { activation: "tanh" }),
    input: [3, 4],
    output: [3, 4],
    weights: encoder(4, 2, 5),
    anyLength: [0],
    wrongInput: [4],
  },
  {
    name: "behind an encoder",
    make: () => transformerDecoder(5, 2, { activation: "tanh", rotary: { base: 100 } }),
    inputs: [
      [3, 4],
      [2, 6],
    ],
    output: [3, 4],
    weights: {
      ...attention("self_attention", 4, 2),
      ...norm("self_attention_norm", 4),
      ...attention("cross_attention", 4, 2, 6),
      ...norm("cross_attention_norm", 4),
      ...feedForward(4, 5),
      ...norm("feedforward_norm", 4),
    },
    anyLength: [0],
  },
]);

describeLayer("swiGlu", [
  {
    name: "of a sequence",
    make: () => swiGlu(5),
    input: [3, 4],
    output: [3, 4],
    weights: { "gate/kernel": [4, 5], "up/kernel": [4, 5], "down/kernel": [5, 4] },
    anyLength: [0],
    wrongInput: [],
  },
]);

describeLayer("llamaDecoder", [
  {
    name: "grouped",
    make: () => llamaDecoder(5, 4, { numKeyValueHeads: 2, dropout: 0.1 }),
    input: [3, 8],
    output: [3, 8],
    weights: {
      "self_attention_norm/scale": [8],
      "self_attention/query/kernel": [8, 4, 2],
      "self_attention/key/kernel": [8, 2, 2],
      "self_attention/value/kernel": [8, 2, 2],
      "self_attention/attention_output/kernel": [4, 2, 8],
      "feedforward_norm/scale": [8],
      ...inside("feedforward", { "gate/kernel": [8, 5], "up/kernel": [8, 5], "down/kernel": [5, 8] }),
    },
    anyLength: [0],
    wrongInput: [3, 6],
  },
]);

describeLayer("transformer", [
  {
    name: "two layers, sinusoidal",
    make: () =>
      transformer({ numLayers: 2, numHeads: 2, hiddenSize: 4, intermediateDim: 3, activation: "tanh", outputSize: 2 }),
    input: [3, 5],
    output: [3, 2],
    weights: {
      ...dense("projection", 5, 4),
      ...inside("encoder_1", encoder(4, 2, 3)),
      ...inside("encoder_2", encoder(4, 2, 3)),
      ...dense("output", 4, 2),
    },
    anyLength: [0],
    wrongInput: [5],
  },
  {
    name: "learned positions",
    make: () => transformer({ numLayers: 1, numHeads: 1, hiddenSize: 4, positions: "learned", activation: "tanh" }),
    input: [3, 5],
    output: [3, 4],
    weights: {
      ...dense("projection", 5, 4),
      "positions/embeddings": [3, 4],
      ...inside("encoder_1", encoder(4, 1, 16)),
    },
  },
]);
