import { createSession, GraphBuilder, model, type Tensor, tensor } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { GraphMath } from "../../graph/graph-math.ts";
import { prune } from "../../graph/prune.ts";
import { asked, type Moving, type Optimizer, zeroSlots } from "../optimizer.ts";
import { together } from "./together.ts";

const rule: Optimizer = {
  slots: (shape) => zeroSlots(shape, "squares"),
  scalars: () => ({}),
  update: ({ math, weights }) =>
    weights.map(({ weight, gradient, slots }) => {
      const squares = math.add(math.mul(asked(slots, "squares"), 0.9), math.mul(gradient, gradient));
      return { move: math.div(math.mul(weight, gradient), math.add(math.sqrt(squares), 0.1)), slots: { squares } };
    }),
};

const shapes = [[3], [5000], [2, 2], [], [0], [4097], [7, 1, 3]];

/** One step of weights of these sizes: the program's operators, and its outputs in the weights' order. */
async function step(optimizer: Optimizer, sizes: readonly (readonly number[])[]) {
  const builder = new GraphBuilder("step");
  const math = new GraphMath(builder);
  const feeds: Record<string, Tensor> = {};
  const input = (name: string, shape: readonly number[], seed: number) => {
    const length = shape.reduce((product, size) => product * size, 1);
    feeds[name] = tensor(
      "float32",
      shape,
      Float32Array.from({ length }, (_, i) => Math.sin(seed + i) ** 2),
    );
    return builder.input(name, "float32", shape);
  };
  const weights = sizes.map((shape, i): Moving => {
    const [weight, gradient] = [input(`w${i}`, shape, i), input(`g${i}`, shape, i + 0.3)];
    return { id: `w${i}`, weight, gradient, slots: { squares: input(`s${i}`, shape, i + 0.6) } };
  });
  const moved = optimizer.update({ math, weights, scalars: {} });
  moved.forEach(({ move, slots }, i) => {
    builder.output(move, `move${i}`);
    builder.output(asked(slots, "squares"), `squares${i}`);
  });
  const graph = prune(builder.build());
  const session = await createSession(model(graph), { threads: 1 });
  const { outputs } = await session.run(feeds);
  await session.close();
  return { operators: graph.nodes.map(({ operator }) => operator), outputs };
}

describe("small weights that move together", () => {
  it("move as they would alone, to the last bit, and keep their shapes", async () => {
    const [alone, joined] = [await step(rule, shapes), await step(together(rule), shapes)];
    expect(joined.outputs).toEqual(alone.outputs);
  });

  it("take the rule once, and large ones once each", async () => {
    const { operators } = await step(together(rule), shapes);
    expect(operators.filter((operator) => operator === "Sqrt")).toHaveLength(3);
  });

  it("stay as they are where there is one", async () => {
    const { operators } = await step(together(rule), [[3], [5000]]);
    expect(operators).not.toContain("Concat");
  });

  it("must have the same slots", () => {
    const builder = new GraphBuilder("odd");
    const value = builder.input("w", "float32", [2]);
    const one = { id: "a", weight: value, gradient: value, slots: { squares: value } };
    const weights = [one, { ...one, id: "b", slots: {} }];
    expect(() => together(rule).update({ math: new GraphMath(builder), weights, scalars: {} })).toThrow(
      "b: its slots are not those of other weights",
    );
  });
});
