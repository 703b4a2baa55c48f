/** @file Operators newer than ONNX 1.12's tests, against values that `fixtures/generate.py` computes with NumPy. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Dtype } from "../dtype.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { defaultOpset, model } from "../graph/model.ts";
import { type AttributesOf, type OperatorName, operators } from "../operators/table.ts";
import { createSession } from "../session/session.ts";
import { emptyArray, type Tensor, tensor } from "../tensor.ts";
import { difference } from "./difference.ts";

interface FixtureTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface FixtureCase {
  readonly operator: OperatorName;
  readonly note: string;
  readonly attributes: AttributesOf<OperatorName>;
  readonly inputs: readonly (FixtureTensor | null)[];
  readonly outputs: readonly FixtureTensor[];
}

const { cases } = JSON.parse(readFileSync(new URL("../../fixtures/newer-operators.json", import.meta.url), "utf8")) as {
  cases: readonly FixtureCase[];
};

function toTensor({ dtype, shape, data }: FixtureTensor): Tensor {
  const array = emptyArray(dtype, data.length);
  for (const [i, value] of data.entries())
    if (array instanceof BigInt64Array) array[i] = BigInt(value);
    else if (ArrayBuffer.isView(array)) array[i as never] = value as never;
  return tensor(dtype, shape, array as never);
}

/** The case's one node, run with what is fed. Sizes (int64) are constants, so that types follow from them. */
async function run({ operator, attributes, inputs, outputs }: FixtureCase) {
  const g = new GraphBuilder(operator);
  const feeds: Record<string, Tensor> = {};
  const values = inputs.map((given, i) => {
    if (given === null) return undefined;
    const value = toTensor(given);
    if (value.dtype === "int64") return g.constant(value);
    feeds[`x${i}`] = value;
    return g.input(`x${i}`, value.dtype, value.shape);
  });
  const made = g.ops(operator, values, attributes, outputs.length);
  for (const output of made) g.output(output);
  const opset = Math.max(defaultOpset, operators[operator].since);
  const session = await createSession(model(g.build(), { opset }), { threads: 1 });
  try {
    const results = await session.run(feeds);
    return made.map(({ name }) => results.outputs[name]);
  } finally {
    await session.close();
  }
}

describe("operators newer than ONNX's test data give what NumPy gives", () => {
  for (const example of cases)
    it(`${example.operator}: ${example.note}`, async () => {
      const results = await run(example);
      for (const [i, expected] of example.outputs.entries()) {
        const actual = results[i];
        if (actual === undefined) throw new Error(`output ${i} is missing`);
        // float32 sums of up to 48 products
        expect(
          difference(toTensor(expected), actual, { relative: 1e-4, absolute: 1e-5, random: false }),
        ).toBeUndefined();
      }
    });
});
