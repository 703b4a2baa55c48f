import { GraphBuilder } from "@gristmill/onnx";
import { expect, it } from "vitest";
import { GraphMath } from "../graph/graph-math.ts";
import { prune } from "../graph/prune.ts";
import { gradients } from "./gradients.ts";
import { isTurn } from "./turned.ts";

it("the gradient of a turned factor is a product, and no turned copy of one", () => {
  const builder = new GraphBuilder("scores");
  const math = new GraphMath(builder);
  const [q, k] = [builder.input("q", "float32", [2, 3, 4]), builder.input("k", "float32", [2, 5, 4])];
  const y = builder.op("MatMul", [q, math.transpose(k, [0, 2, 1])]); // [2, 3, 5]
  const dy = builder.input("dy", "float32", [2, 3, 5]);
  const [slope] = gradients(math, { value: y, gradient: dy }, [k]);
  if (slope === undefined) throw new Error("no gradient was written");
  builder.output(slope, "dk");
  // dyᵀ q
  const { nodes } = prune(builder.build());
  expect(nodes.map(({ operator, inputs }) => [operator, ...inputs.map((value) => value?.name)])).toEqual([
    ["Transpose", "dy"],
    ["MatMul", expect.stringContaining("Transpose"), "q"],
    ["Identity", expect.stringContaining("MatMul")],
  ]);
});

it("only an exchange of the last two axes is a turn", () => {
  expect([[0], [1, 0], [0, 1], [0, 2, 1], [1, 0, 2], [0, 1, 3, 2], [0, 2, 1, 3]].map(isTurn)).toEqual([
    ...[false, true, false, true, false, true, false],
  ]);
});
