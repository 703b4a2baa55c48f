/** @file Inference is proved against ONNX Runtime: each operator's cases are run, and what comes out is compared. */
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../graph/builder.ts";
import { assertModel } from "../graph/check.ts";
import type { Value } from "../graph/graph.ts";
import { defaultOpset, model } from "../graph/model.ts";
import { createSession } from "../session/session.ts";
import type { Tensor } from "../tensor.ts";
import { type OperatorName, operatorNames, operators } from "./table.ts";
import { cases } from "./testing/all.ts";
import type { Case } from "./testing/case.ts";
import { evaluate } from "./testing/evaluate.ts";

/** Builds the case's one node. With names, the first axis of each fed input is called after its size: "n2". */
function build(name: OperatorName, example: Case, named: boolean) {
  const builder = new GraphBuilder(`${name}: ${example.note}`);
  const feeds: Record<string, Tensor> = {};
  const sizes = new Map<string, number>();
  const inputs = example.inputs.map((given, i): Value | undefined => {
    if (given === undefined) return undefined;
    if (given.fixed) return builder.constant(given.tensor);
    const [first, ...others] = given.tensor.shape;
    const shape = first === undefined ? [] : named ? [`n${first}`, ...others] : given.tensor.shape;
    if (named && first !== undefined) sizes.set(`n${first}`, first);
    feeds[`x${i}`] = given.tensor;
    return builder.input(`x${i}`, given.tensor.dtype, shape);
  });
  const attributes =
    typeof example.attributes === "function" ? example.attributes(builder, inputs) : (example.attributes ?? {});
  const outputs = builder.ops(name, inputs, attributes, example.outputs ?? 1);
  for (const output of outputs) builder.output(output);
  const built = model(builder.build(), { opset: Math.max(defaultOpset, operators[name].since) });
  assertModel(built);
  return { built, feeds, sizes, outputs };
}

async function compare(name: OperatorName, example: Case, named: boolean): Promise<void> {
  const { built, feeds, sizes, outputs } = build(name, example, named);
  const session = await createSession(built, { threads: 1, optimization: "none" });
  try {
    const results = (await session.run(feeds)).outputs;
    let open = 0;
    for (const output of outputs) {
      const actual = results[output.name];
      const inferred = output.shape.map((dim, axis) => {
        const size = evaluate(dim, sizes);
        if (size === undefined) open++;
        return size ?? actual?.shape[axis];
      });
      expect({ dtype: output.dtype, shape: inferred }).toEqual({ dtype: actual?.dtype, shape: actual?.shape });
    }
    expect(open).toBe(openSizes(example, named));
  } finally {
    await session.close();
  }
}

/** How many sizes inference may leave to the run. */
function openSizes(example: Case, named: boolean): number {
  if (typeof example.open !== "object") return example.open ?? 0;
  return named ? example.open.named : example.open.numbers;
}

describe("every operator infers the types and shapes that ONNX Runtime gives", () => {
  it("has cases for exactly the operators of the table", () => {
    expect(Object.keys(cases).sort()).toEqual([...operatorNames]);
  });

  for (const name of operatorNames)
    for (const example of cases[name] as readonly Case[]) {
      it(`${name}: ${example.note}`, () => compare(name, example, false));
      const hasAxes = example.inputs.some(
        (given) => given !== undefined && !given.fixed && given.tensor.shape.length > 0,
      );
      if (hasAxes && example.numbersOnly === undefined)
        it(`${name}: ${example.note}, first axes named`, () => compare(name, example, true));
    }
});
