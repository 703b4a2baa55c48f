/** @file What padding must not do: move the answers of steps that count, or make NaN where nothing counts. */

import { tensor } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { Model } from "../../model/model.ts";
import { input } from "../../network/symbolic.ts";
import { normalAt } from "../../random/hash.ts";
import { checkGradient, toleranceOf } from "../../testing/gradient-check.ts";
import { masking } from "../core/masking.ts";
import { plain } from "../features.ts";
import type { Layer, LayerScope } from "../layer.ts";
import { asShown } from "../storage.ts";
import { llamaDecoder } from "../transformer/llama-decoder.ts";
import { transformer } from "../transformer/transformer.ts";
import { transformerDecoder } from "../transformer/transformer-decoder.ts";
import { transformerEncoder } from "../transformer/transformer-encoder.ts";
import { additiveAttention } from "./additive-attention.ts";
import { attention } from "./attention.ts";
import { groupedQueryAttention } from "./grouped-query-attention.ts";
import { multiHeadAttention } from "./multi-head-attention.ts";

const width = 4;
const steps = 5;
const lengths = [5, 3, 1, 0];

/** Sequences of these lengths, with zeros behind, which masking() takes for padding. */
const padded = Float32Array.from({ length: lengths.length * steps * width }, (_, i) => {
  const step = Math.floor(i / width) % steps;
  return step < (lengths[Math.floor(i / (width * steps))] ?? 0) ? normalAt(5, i) : 0;
});
const perSample = steps * width;

/** A model of masking and a layer, for sequences of any length. `isPair`: query and value are both the sequence. */
function modelOf(layer: Layer, isPair: boolean): Model {
  const x = input({ shape: [null, width] });
  const masked = masking().apply(x);
  return new Model({ inputs: x, outputs: layer.apply(isPair ? [masked, masked] : masked) }, { seed: 3 });
}

const cases: readonly [string, () => Layer, boolean][] = [
  ["multiHeadAttention", () => multiHeadAttention(2, 3), false],
  ["multiHeadAttention, causal", () => multiHeadAttention(2, 4, { useCausalMask: true, rotary: {} }), false],
  ["groupedQueryAttention", () => groupedQueryAttention(2, 4, 2), false],
  ["attention", () => attention({ useScale: true }), true],
  ["attention of sums", () => attention({ scoreMode: "concat" }), true],
  ["additiveAttention", () => additiveAttention(), true],
  ["transformerEncoder", () => transformerEncoder(6, 2), false],
  ["transformerDecoder", () => transformerDecoder(6, 2), true],
  ["llamaDecoder", () => llamaDecoder(6, 2), false],
  ["transformer", () => transformer({ numLayers: 2, numHeads: 2, hiddenSize: 6 }), false],
];

describe.each(cases)("%s", (_name, make, isPair) => {
  it("answers a padded sequence as the sequence alone, and finitely where all is padding", async () => {
    const model = modelOf(make(), isPair);
    const all = await model.predict({ shape: [lengths.length, steps, width], data: padded }, { threads: 1 });
    expect(all.data.every(Number.isFinite)).toBe(true);
    const out = all.data.length / (lengths.length * steps);
    for (const [sample, length] of lengths.entries()) {
      if (length === 0) continue;
      const data = padded.slice(sample * perSample, sample * perSample + length * width);
      const alone = await model.predict({ shape: [1, length, width], data }, { threads: 1 });
      alone.data.forEach((value, i) => void expect(all.data[sample * steps * out + i]).toBeCloseTo(value, 5));
    }
    await model.close();
  });
});

it("a sequence that is all padding answers the output's bias alone", async () => {
  const layer = multiHeadAttention(2, 3, { biasInitializer: { type: "constant", value: 0.5 } });
  const model = modelOf(layer, false);
  const { data } = await model.predict({ shape: [lengths.length, steps, width], data: padded }, { threads: 1 });
  expect(data.slice(3 * perSample)).toEqual(new Float32Array(perSample).fill(0.5));
  await model.close();
});

it.each([
  ["keys", false],
  ["keys, causal", true],
])("the gradient goes round masked %s, and is 0 where every key is masked", async (_name, useCausalMask) => {
  const layer = multiHeadAttention(2, 2, { useCausalMask });
  const shape = [3, 3, 2];
  const mask = [1, 1, 0, 0, 1, 1, 0, 0, 0]; // padded behind, padded in front, nothing but padding
  const parameters = layer.parameters([shape.slice(1)]);
  const { worst, gradients } = await checkGradient({
    name: "masked",
    inputs: [{ shape }, ...parameters.map((one) => ({ shape: one.shape }))],
    build(math, x, ...weights) {
      const scope: Partial<LayerScope> = {
        math,
        path: "attention",
        training: true,
        weight(name, storage) {
          const place = parameters.findIndex((one) => one.name === name);
          const value = weights[place];
          if (value === undefined) throw new Error(`${name}: not declared`);
          return math.reshape(value, (storage ?? asShown(value.shape.map(Number))).stored);
        },
      };
      if (x === undefined) throw new Error("no input");
      const counts = math.builder.constant(tensor("bool", [3, 3], Uint8Array.from(mask)));
      const [answer] = layer.build(scope as LayerScope, [plain(x, shape.slice(1), counts)]);
      if (answer === undefined) throw new Error("no answer");
      return answer.value;
    },
  });
  expect(worst).toBeLessThan(toleranceOf.float64);
  expect(gradients.flat().every(Number.isFinite)).toBe(true);
  expect(gradients[0]?.slice(12)).toEqual([0, 0, 0, 0, 0, 0]);
});

it("a fourth input says which pairs may look", async () => {
  const [x, pairs] = [input({ shape: [3, 2], name: "x" }), input({ shape: [3, 3], name: "pairs", dtype: "int32" })];
  const layer = multiHeadAttention(1, 2, { useBias: false, name: "attention" });
  const model = new Model({ inputs: [x, pairs], outputs: layer.apply([x, x, x, pairs]) }, { seed: 1 });
  const causal = multiHeadAttention(1, 2, { useBias: false, useCausalMask: true, name: "attention" });
  const same = new Model({ inputs: x, outputs: causal.apply(x) }, { seed: 1 });
  const data = Float32Array.from({ length: 6 }, (_, i) => normalAt(9, i));
  const lower = Int32Array.of(1, 0, 0, 1, 1, 0, 1, 1, 1);
  const given = await model.predict(
    { x: { shape: [1, 3, 2], data }, pairs: { shape: [1, 3, 3], data: lower } },
    { threads: 1 },
  );
  const own = await same.predict({ shape: [1, 3, 2], data }, { threads: 1 });
  own.data.forEach((value, i) => void expect(given.data[i]).toBeCloseTo(value, 6));
  await Promise.all([model.close(), same.close()]);
});

it("tells what does not fit", () => {
  const x = input({ shape: [3, 4] });
  const cases: readonly [() => unknown, string][] = [
    [() => multiHeadAttention(2, 3, { rotary: {} }), "multiHeadAttention.keyDim: expected an even number, received 3"],
    [() => multiHeadAttention(2, 3, { dropout: 1 }), "multiHeadAttention.dropout: expected a number from 0"],
    [
      () => multiHeadAttention(2, 3, { rotary: { base: -1 } }),
      "multiHeadAttention.rotary.base: expected a number above 0",
    ],
    [() => groupedQueryAttention(2, 4, 3), "numKeyValueHeads: expected a divisor of numQueryHeads 4, received 3"],
    [
      () => multiHeadAttention(2, 3).apply([x, input({ shape: [5, 4] }), input({ shape: [6, 4] })]),
      "multiHeadAttention: expected as many keys as values, received [6, 4] and [5, 4]",
    ],
    [
      () => multiHeadAttention(2, 3).apply([x, x, x, input({ shape: [3, 5] })]),
      "expected an attention mask of [query steps, key steps] = [3, 3], received [3, 5]",
    ],
    [
      () => attention().apply([x, input({ shape: [5, 3] })]),
      "attention: expected queries and keys of one width, received [3, 4] and [5, 3]; put a dense layer",
    ],
    [
      () => transformerEncoder(8, 3).apply(x),
      "transformerEncoder: expected a width that 3 heads divide, received [3, 4]",
    ],
    [() => llamaDecoder(8, 4).apply(x), "expected a width that 4 heads of an even size divide, received [3, 4]"],
    [
      () => transformer({ numHeads: 3, hiddenSize: 16 }),
      "transformer.hiddenSize: expected a multiple of 3 for 3 heads",
    ],
  ];
  for (const [make, message] of cases) expect(make).toThrow(message);
});
