import { expect, it } from "vitest";
import { tensor } from "../tensor.ts";
import { GraphBuilder } from "./builder.ts";
import { assertModel } from "./check.ts";
import { liftConstants } from "./lift-constants.ts";
import { model } from "./model.ts";

it("makes initializers of Constant nodes, also in bodies, but not of those that are outputs", () => {
  const g = new GraphBuilder("g");
  const w = tensor("float32", [2], Float32Array.of(1, 2));
  const shown = g.op("Constant", [], { value_floats: [3] });
  const body = (scale: number) => {
    const inner = new GraphBuilder("branch", { outer: g });
    inner.output(inner.op("Neg", [inner.op("Constant", [], { value_float: scale })]));
    return inner.build();
  };
  const branch = g.op("If", [g.input("c", "bool", [])], { then_branch: body(1), else_branch: body(2) });
  g.output(g.op("Add", [g.op("Constant", [], { value: w }), branch]));
  g.output(shown);
  const before = model(g.build());
  const after = liftConstants(before);
  assertModel(after);
  expect(after.graph.nodes.map((node) => node.operator)).toEqual(["Constant", "If", "Add"]);
  expect([...after.graph.initializers.values()]).toEqual([w]);
  const attribute = after.graph.nodes[1]?.attributes["else_branch"];
  const inner = typeof attribute === "object" && "graph" in attribute ? attribute.graph : undefined;
  expect(inner?.nodes.map((node) => node.operator)).toEqual(["Neg"]);
  expect([...(inner?.initializers.values() ?? [])]).toEqual([tensor("float32", [], Float32Array.of(2))]);
  expect(before.graph.nodes).toHaveLength(4);
});
